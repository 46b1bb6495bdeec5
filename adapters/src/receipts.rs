//! Receipts of platforms, as the city keeps them: looked at, and proven anew.

use lienthong_model::id::FlowId;
use lienthong_store::{Store, outbox::KeptReceipt};
use serde::Serialize;

use crate::{
    Error,
    config::{Config, PlatformName},
    ndc::Checking,
};

/// A receipt, and whether its signature holds.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Proof {
    /// The key of the message's row in its source.
    pub key: String,
    /// The message's type.
    pub call: String,
    /// When the message was settled.
    pub at: String,
    /// What the platform calls the receipt.
    pub receipt: String,
    /// SHA-256 of the record in its canonical form (RFC 8785), in hexadecimal digits.
    pub digest: String,
    /// The receipt as it was signed.
    pub content: String,
    /// Its signature.
    pub signature: String,
    /// Whether the signature is that of who may sign receipts, with the certificates and lists that are
    /// configured now, as of the time of the message.
    pub holds: bool,
}

/// The receipts of a flow, newest first, at most `limit`; or that of one message. Works beside a running
/// process.
///
/// # Errors
/// When the durable state or the certificates cannot be read, or the flow's platform gives no receipts.
pub async fn receipts(
    config: &Config,
    flow: &FlowId,
    key: Option<&str>,
    limit: u32,
) -> Result<Vec<Proof>, Error> {
    let no = |problem: String| Error::Platform(problem);
    let found = config.flows.iter().find(|one| one.id == *flow);
    let found = found.ok_or_else(|| no(format!("there is no flow `{flow}`")))?;
    let ndc = config.ndc.as_ref().filter(|_| found.platform == PlatformName::Ndc);
    let ndc = ndc.ok_or_else(|| no(format!("the platform of flow `{flow}` gives no receipts")))?;
    let checking = Checking::open(&ndc.receipt)?;
    let store = Store::look_up_to_date(config.state.clone()).await?;
    let kept = store.outbox().receipts(flow, key, limit).await?;
    Ok(kept.into_iter().map(|kept| proof(&checking, kept)).collect())
}

fn proof(checking: &Checking, kept: KeptReceipt) -> Proof {
    let KeptReceipt { key, kind, at, receipt } = kept;
    let holds = checking.signed(receipt.content.as_bytes(), &receipt.signature, at).is_ok();
    Proof {
        key,
        call: kind,
        at: at.to_string(),
        receipt: receipt.id,
        digest: receipt.digest,
        content: receipt.content,
        signature: receipt.signature,
        holds,
    }
}
