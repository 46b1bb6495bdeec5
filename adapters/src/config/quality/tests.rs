use super::*;
use crate::{config::Config, testing::World};

async fn with(settings: &str) -> World {
    let mut world = World::new().await;
    let order = "    order_by: case_code\n";
    world.set(order, &format!("{order}    quality:\n{settings}"));
    world
}

#[tokio::test]
async fn tells_every_mistake_at_once() {
    let world = with(
        "      unit: '99999'
      windows_days: 30
      live_within_hours: 0
      mend_within_working_days: [5, 5, 15]
      mend: [correct]
      expected: [Emial]
      thresholds: {correct: 1.2, shared: 0.9, live: 0.5, corect: 0.9}
      weights: {correct: 0, shared: 1}
      window_days: 60
      keep_days: 30
",
    )
    .await;
    let told = Config::read(&world.path()).unwrap_err().to_string();
    for mistake in [
        "`99999` is no code of a ward of today",
        "unknown key `windows_days` in `quality`",
        "`live_within_hours` must be a whole number from 1 to 8760",
        "`mend_within_working_days` must be three whole numbers",
        "`correct` is not one of `complete`, `clean`",
        "expected field `Emial` is not mapped",
        "did you mean `Email`?",
        "not a number from 0 to 1",
        "`shared` holds no flow: what is held is not shared",
        "`live` needs `changed_at`",
        "`corect` is not one of",
        "`shared` is not one of `correct`",
        "one weight at least must be more than 0",
        "`keep_days` is less than `window_days`",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn refuses_holidays_that_are_named_twice() {
    let mut world = World::new().await;
    world.set("flows:\n", "holidays: [2026-11-24, 2026-11-24]\nflows:\n");
    let told = Config::read(&world.path()).unwrap_err().to_string();
    assert!(told.contains("`holidays`: holidays are too many, or one is named twice"), "{told}");
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let world = World::new().await;
    assert_eq!(world.config().flows[0].quality, QualityConfig::default());
    let world = with("      changed_at: happened_at\n").await;
    let quality = world.config().flows.remove(0).quality;
    let expected =
        QualityConfig { changed_at: Some("happened_at".to_owned()), ..QualityConfig::default() };
    assert_eq!(quality, expected);
    assert_eq!(quality.mend_within, [5, 10, 15]);
    assert_eq!(quality.aim(Criterion::Identifiers), Some(Ratio::ONE));
    assert_eq!(quality.aim(Criterion::Correct), None);
}
