//! Computing what is due, again and again, beside the flows. Of several processes on one durable state
//! one does it.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::id::FlowId;
use tokio::sync::watch;

use super::{
    definition::Definition,
    period::Period,
    status::PeriodState,
    work::{Indicators, Task},
};
use crate::Error;

/// The name under which a process leads: no flow may bear it.
pub(crate) const LEADER: &str = "indicators";
/// How long a process that went away keeps others from computing.
const LEAD: SignedDuration = SignedDuration::from_mins(5);
/// Longest sleep, so that a clock that is set and an end are noticed.
const NAP: Duration = Duration::from_secs(1);

impl Indicators {
    /// Computes what is due until told to stop. What fails is told and tried again at the next look.
    pub(crate) async fn tend(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let holder = self.store.outbox().reader_name(&uuid::Uuid::new_v4().to_string());
        let every = SignedDuration::try_from(self.config.look).unwrap_or(LEAD);
        let mut next = self.clock.now();
        while !*stop.borrow_and_update() {
            let now = self.clock.now();
            if now >= next {
                next = now.saturating_add(every).unwrap_or(Timestamp::MAX);
                // A query may take minutes; what it gives is not needed to end.
                let mut ended = stop.clone();
                let looked = tokio::select! {
                    looked = self.look(&holder, &stop) => looked.map(drop),
                    _ = ended.wait_for(|stop| *stop) => break,
                };
                if let Err(error) = looked {
                    tracing::error!(%error, "indicators cannot be computed");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(NAP) => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        if let Ok(leader) = LEADER.parse()
            && let Err(error) = self.store.outbox().stop_leading(&leader, &holder).await
        {
            tracing::debug!(%error, "the lead of indicators was not given up");
        }
    }

    /// Computes every period that is over and has no figures, one after the other. Gives how many
    /// were tried.
    pub(crate) async fn look(
        &self,
        holder: &str,
        stop: &watch::Receiver<bool>,
    ) -> Result<u64, Error> {
        let mut tried = 0;
        for definition in self.definitions() {
            for period in self.missing(definition).await? {
                if *stop.borrow() || !self.leads(holder).await? {
                    return Ok(tried);
                }
                self.compute(Task { definition, period, why: None }).await?;
                tried += 1;
            }
        }
        self.lay_out().await?;
        self.warn().await?;
        Ok(tried)
    }

    async fn leads(&self, holder: &str) -> Result<bool, Error> {
        let Ok(leader) = LEADER.parse::<FlowId>() else { return Ok(false) };
        Ok(self.store.outbox().lead(&leader, holder, self.clock.now(), LEAD).await?)
    }

    /// The periods of an indicator that are over and have no figures.
    async fn missing(&self, definition: &Arc<Definition>) -> Result<Vec<Period>, Error> {
        let report = self.status_of(definition).await?;
        let open = report.periods.iter().filter(|one| one.revision.is_none());
        Ok(open.filter_map(|one| Period::parse(definition.period, &one.period)).collect())
    }

    /// Tells what is late, and what waits for a person.
    async fn warn(&self) -> Result<(), Error> {
        for report in self.status().await? {
            let (late, refused) = (report.late(), report.count(PeriodState::Refused));
            if late > 0 || refused > 0 {
                tracing::warn!(indicator = %report.id, late, refused, "periods have no figures");
            }
        }
        Ok(())
    }
}
