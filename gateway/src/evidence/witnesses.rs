//! What stands by the log and is not ours alone: stamps on its checkpoints, and the offset of the
//! clock from its source.
//!
//! Nothing of the log waits for either.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwapOption;
use lienthong_evidence::note::Verifier;
use lienthong_model::{clock::Clock, diagnostic::Diagnostics};

use crate::{
    clock_offset::ClockOffset,
    config::EvidenceSettings,
    metrics::{ClockMetrics, StampMetrics},
    stamp::Stamps,
};

/// The threads of both, while they run.
#[derive(Debug)]
pub(super) struct Witnesses {
    stamps: ArcSwapOption<Stamps>,
    clock_offset: ArcSwapOption<ClockOffset>,
    metrics: (StampMetrics, ClockMetrics),
}

impl Witnesses {
    pub(super) fn new(stamps: StampMetrics, clock: ClockMetrics) -> Self {
        let (metrics, none) = ((stamps, clock), ArcSwapOption::empty());
        Self { stamps: none, clock_offset: ArcSwapOption::empty(), metrics }
    }

    /// Starts what the settings want for the log in this directory.
    pub(super) fn start(
        &self,
        settings: &EvidenceSettings,
        log: &Path,
        verifier: &Verifier,
        clock: &Arc<dyn Clock>,
    ) -> Result<(), Diagnostics> {
        let (of_stamps, of_clock) = self.metrics.clone();
        if let Some(source) = &settings.time_source {
            let offset = ClockOffset::start(source, Arc::clone(clock), of_clock)?;
            self.clock_offset.store(Some(Arc::new(offset)));
        }
        if settings.stamps.cms.is_some() || settings.stamps.time_stamp.is_some() {
            let clock = Arc::clone(clock);
            let stamps = Stamps::start(&settings.stamps, log, verifier, clock, of_stamps)?;
            self.stamps.store(Some(Arc::new(stamps)));
        }
        Ok(())
    }

    /// Ends both. Blocks until their threads have.
    pub(super) fn stop(&self) {
        self.stamps.store(None);
        self.clock_offset.store(None);
    }

    /// How far the clock is from its source, milliseconds.
    pub(super) fn clock_offset_ms(&self) -> Option<i64> {
        self.clock_offset.load().as_ref()?.offset()
    }

    /// Why readiness is amber for one of them.
    pub(super) fn troubles(&self) -> Vec<String> {
        let stamps = self.stamps.load();
        let clock = self.clock_offset.load();
        let mut troubles = stamps.as_ref().map(|stamps| stamps.troubles()).unwrap_or_default();
        troubles.extend(clock.as_ref().and_then(|clock| clock.trouble()));
        troubles
    }
}
