//! Running, watching and rehearsing all flows of a configuration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use lienthong_model::clock::Clock;
use lienthong_store::{
    Store, StoreError,
    outbox::{Lease, Left},
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    Error,
    breaker::Breaker,
    client::GatewayClient,
    config::{Config, DeliveryConfig, FlowConfig, PlatformName, Repeat, SourceKind},
    deliver::{BackOff, Courier},
    desk::{Desk, Listening, Running},
    flow::{Common, Flow, Until, graver},
    gate::Gate,
    keep::Keep,
    platform::Platform,
    report::{CheckOutcome, Report, report},
    seal::Sealer,
    settle::Settler,
    source::Source,
};

/// Orders of a person that wait for a flow at most.
const ORDERS: usize = 16;
/// How long a lease outlives the longest attempt.
const SPARE: SignedDuration = SignedDuration::from_secs(30);

/// Runs every flow until `shutdown` resolves, then lets deliveries in flight end.
///
/// # Errors
/// When the durable state, a source or the client cannot be used.
pub async fn run(
    config: &Config,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    drive(config, clock, StdRng::from_rng(&mut rand::rng()), Until::Stopped, shutdown).await
}

/// Runs every flow until nothing is left that could be delivered, or the platform stays away for
/// as many attempts as a message may have.
///
/// # Errors
/// When the durable state, a source or the client cannot be used.
pub async fn run_until_idle(config: &Config, clock: Arc<dyn Clock>) -> Result<Report, Error> {
    let rng = StdRng::from_rng(&mut rand::rng());
    drive(config, clock, rng, Until::Idle, std::future::pending()).await
}

/// As [`run`] and [`run_until_idle`], with the chance of the waits given.
pub(crate) async fn drive(
    config: &Config,
    clock: Arc<dyn Clock>,
    mut rng: StdRng,
    until: Until,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    let store = open(config, &clock).await?;
    let platforms = platforms(config, &store, &clock, &mut rng)?;
    for common in platforms.values() {
        common.platform.verify().await?;
    }
    let (couriers, settling) = couriers(config, &platforms, &mut rng)?;
    let (stop, stopped) = watch::channel(false);
    let mut flows = JoinSet::new();
    let (mut orders, mut signs, mut gates) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (courier, common) in couriers {
        let id = courier.flow.id.clone();
        gates.insert(id.clone(), Arc::clone(&common.gate));
        let flow = Flow::open(Arc::new(courier), common).await?;
        let (order, ordered) = mpsc::channel(ORDERS);
        signs.insert(id.clone(), flow.signs());
        orders.insert(id, order);
        flows.spawn(flow.run(until, stopped.clone(), ordered));
    }
    let desk = match until {
        Until::Idle => None,
        Until::Stopped => {
            let listening = Listening::bind(&config.socket, config.metrics).await?;
            let running = Running { orders, signs, gates };
            let desk = Desk::new(config, &store, &Sealer::of(config)?, &clock, running);
            Some(tokio::spawn(work(desk, listening, stopped.clone())))
        }
    };
    // Catalogues and questions take no message's time.
    let mut errands = JoinSet::new();
    for common in platforms.values() {
        let (platform, stopped) = (Arc::clone(&common.platform), stopped.clone());
        errands.spawn(async move { platform.tend(stopped).await });
    }
    let keep = Keep::longest(&config.flows);
    let keeping = keep.forever(Arc::clone(&store), Arc::clone(&clock));
    let ending = async {
        tokio::select! {
            () = shutdown => Ok(()),
            kept = keeping => kept.map_err(Error::from),
        }
    };
    // Settling ends when the last flow has.
    let (ended, settled) = tokio::join!(all_of(&mut flows, &stop, ending), all_settled(settling));
    errands.abort_all();
    stop.send_replace(true);
    if let Some(desk) = desk {
        desk.await.map_err(|_| Error::Interrupted)?.map_err(Error::Desk)?;
    }
    graver(settled, ended)?;
    report(config, &store, &clock).await
}

/// The desk, and beside it what is computed for it: the indicators.
async fn work(
    desk: Desk,
    listening: Listening,
    stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let figures = desk.indicators().map(|indicators| indicators.tend(stopped.clone()));
    let figures = async {
        if let Some(figures) = figures {
            figures.await;
        }
    };
    let (served, ()) = tokio::join!(listening.serve(desk, stopped), figures);
    served
}

/// Opens the durable state, beside others where it is on a server, and ends what earlier runs left
/// under way.
async fn open(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<Store>, Error> {
    let (store, is_alone) = Store::share(config.state.clone()).await?;
    // The attempts of a process that is still there end by themselves.
    let left = if is_alone { Left::ByAnyone } else { Left::ByOurselves };
    let recovered = store.outbox().recover(left, clock.now(), &config.rests()).await?;
    if recovered > 0 {
        tracing::warn!(recovered, "attempts were cut off when the last process ended");
    }
    Ok(Arc::new(store))
}

/// Waits until every settler has nothing more to write down.
async fn all_settled(mut settling: JoinSet<Result<(), StoreError>>) -> Result<(), Error> {
    while let Some(settled) = settling.join_next().await {
        settled.map_err(|_| Error::Interrupted)??;
    }
    Ok(())
}

/// Waits for the end of all flows; tells them when they are to stop, and why where that is a failure.
async fn all_of(
    flows: &mut JoinSet<Result<(), Error>>,
    stop: &watch::Sender<bool>,
    ending: impl Future<Output = Result<(), Error>> + Send,
) -> Result<(), Error> {
    let mut ended = Ok(());
    tokio::pin!(ending);
    let mut stopping = false;
    loop {
        tokio::select! {
            why = &mut ending, if !stopping => (ended, stopping) = (why, true),
            flow = flows.join_next() => match flow {
                None => return ended,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    (ended, stopping) = (graver(ended, Err(error)), true);
                }
                Some(Err(_)) => (ended, stopping) = (Err(Error::Interrupted), true),
            },
        }
        // One flow that cannot go on stops the others: who supervises us must hear of it.
        if stopping {
            stop.send_replace(true);
        }
    }
}

/// What all flows to each platform share.
fn platforms(
    config: &Config,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    rng: &mut StdRng,
) -> Result<BTreeMap<PlatformName, Common>, Error> {
    let mut platforms = BTreeMap::new();
    for name in config.platforms() {
        platforms.insert(name, common(name, config, store, clock, rng)?);
    }
    Ok(platforms)
}

/// What all flows to one platform share.
fn common(
    name: PlatformName,
    config: &Config,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    rng: &mut StdRng,
) -> Result<Common, Error> {
    let wait = |pick: fn(&DeliveryConfig) -> Duration| {
        let flows = config.flows.iter().filter(|flow| flow.platform == name);
        flows.map(|flow| pick(&flow.delivery)).min().unwrap_or(Duration::from_secs(1))
    };
    let back_off =
        BackOff::new(wait(|d| d.first_wait), wait(|d| d.longest_wait), StdRng::from_rng(rng));
    let client = GatewayClient::new(&config.gateway)?;
    let chance = StdRng::from_rng(rng);
    let platform = Arc::new(Platform::open(name, config, client, Arc::clone(clock), chance)?);
    let length = platform.longest_attempt().saturating_add(SPARE);
    Ok(Common {
        lease: Arc::new(Lease { length, rests: config.rests() }),
        gate: Arc::new(Gate::new(Breaker::new(back_off), platform.rate())),
        platform,
        store: Arc::clone(store),
        sealer: Sealer::of(config)?,
        clock: Arc::clone(clock),
    })
}

/// Who delivers the messages of each flow with what its platform's flows share, and the work of writing
/// down what became of them.
type Couriers = (Vec<(Courier, Common)>, JoinSet<Result<(), StoreError>>);

/// Makes a courier for each flow.
fn couriers(
    config: &Config,
    platforms: &BTreeMap<PlatformName, Common>,
    rng: &mut StdRng,
) -> Result<Couriers, Error> {
    let mut settling = JoinSet::new();
    let mut courier = |flow: &FlowConfig| {
        let common = platforms.get(&flow.platform).ok_or(Error::Interrupted)?;
        let (store, clock) = (Arc::clone(&common.store), Arc::clone(&common.clock));
        let (settler, work) = Settler::new(flow.id.clone(), store, clock);
        settling.spawn(work);
        let courier = Courier {
            flow: flow.clone(),
            settler,
            sealer: Arc::clone(&common.sealer),
            platform: Arc::clone(&common.platform),
            clock: Arc::clone(&common.clock),
            back_off: BackOff::new(
                flow.delivery.first_wait,
                flow.delivery.longest_wait,
                StdRng::from_rng(rng),
            ),
        };
        Ok::<_, Error>((courier, common.clone()))
    };
    let couriers = config.flows.iter().map(&mut courier).collect::<Result<_, _>>()?;
    Ok((couriers, settling))
}

/// The durable counters of every flow; works beside a running process.
///
/// # Errors
/// When the durable state cannot be read.
pub async fn status(config: &Config, clock: Arc<dyn Clock>) -> Result<Report, Error> {
    let store = Store::look_up_to_date(config.state.clone()).await?;
    report(config, &store, &clock).await
}

/// Looks at the durable state, the sources and the tables for the city with their columns, and the gateway with what it allows,
/// without sending a message.
pub async fn check(config: &Config, _clock: Arc<dyn Clock>) -> Vec<CheckOutcome> {
    let mut outcomes = vec![CheckOutcome::new("durable state", state_problem(config).await)];
    // What a flow of releases reads was checked with the file.
    let in_the_city = |flow: &&FlowConfig| !matches!(flow.source.kind, SourceKind::Releases);
    for flow in config.flows.iter().filter(in_the_city) {
        let problem = Source::open(flow).await.err().map(|e| e.to_string());
        outcomes.push(CheckOutcome::new(format!("source of flow `{}`", flow.id), problem));
    }
    let tables = Platform::tables(config).await.into_iter();
    outcomes.extend(tables.map(|(name, problem)| CheckOutcome::new(name, problem)));
    match GatewayClient::new(&config.gateway) {
        Err(error) => outcomes.push(CheckOutcome::new("gateway", Some(error.to_string()))),
        Ok(client) => outcomes.extend(allowed(config, &client).await),
    }
    outcomes
}

async fn state_problem(config: &Config) -> Option<String> {
    match Store::look(config.state.clone()).await {
        // It is made by the first run.
        Ok(_) | Err(StoreError::Missing(_)) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// Whether the gateway opens each call to us.
async fn allowed(config: &Config, client: &GatewayClient) -> Vec<CheckOutcome> {
    let mut calls = Vec::new();
    if let Some(npsp) = &config.npsp {
        calls.extend(npsp.errands().into_iter().map(|call| (&npsp.offered, call)));
    }
    for flow in &config.flows {
        let Some(offered) = config.offered(flow.platform) else { continue };
        for message in &flow.messages {
            calls.push((offered, message.call.as_str()));
            if let Repeat::LookUp(call) = &message.repeat {
                calls.push((offered, call.as_str()));
            }
        }
    }
    calls.sort_unstable_by_key(|(_, call)| *call);
    calls.dedup_by_key(|(_, call)| *call);
    let mut listings = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (offered, call) in calls {
        // A call that no service offers is a mistake of the file, which was told.
        let address = offered.routes.get(call).and_then(|address| address.rsplit_once('/'));
        let Some((subsystem, service)) = address else { continue };
        if !listings.contains_key(subsystem) {
            match client.allowed_methods(subsystem).await {
                Ok(listing) => drop(listings.insert(subsystem, listing)),
                Err(problem) => return vec![CheckOutcome::new("gateway", Some(problem))],
            }
        }
        let is_open =
            listings.get(subsystem).is_some_and(|listing| is_listed(listing, service, call));
        let problem = (!is_open).then(|| "the gateway has no agreement that allows it".to_owned());
        outcomes.push(CheckOutcome::new(format!("call `{call}`"), problem));
    }
    outcomes.insert(0, CheckOutcome::new("gateway", None));
    outcomes
}

fn is_listed(listing: &Value, service: &str, call: &str) -> bool {
    let items =
        |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    items(listing.get("service"))
        .iter()
        .filter(|entry| text(entry, "service_code").as_deref() == Some(service))
        .flat_map(|entry| items(entry.get("endpoint_list")))
        .filter_map(|endpoint| text(&endpoint, "path"))
        .any(|path| path.trim_start_matches('/') == call)
}

#[cfg(test)]
mod outage;
#[cfg(test)]
pub(crate) mod tests;
