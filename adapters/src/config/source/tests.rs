use std::os::unix::fs::PermissionsExt;

use crate::{
    Config,
    config::{SourceKind, TableMode, Taken},
    testing::World,
};

/// The mistakes of a source written instead of the example's.
async fn mistakes(source: &str) -> String {
    let mut world = World::new().await;
    instead(&mut world, source);
    Config::read(&world.path()).map_or_else(|told| told.to_string(), |_| String::new())
}

fn instead(world: &mut World, source: &str) {
    let text = std::fs::read_to_string(world.path()).unwrap();
    let begin = text.find("      sqlite:").unwrap();
    let end = text.find("    order_by:").unwrap();
    world.set(text.get(begin..end).unwrap(), source);
}

const SERVER: &str = "table: cases.outbox, position: id, key: event_id";

#[tokio::test]
async fn refuses_addresses_with_a_password_or_in_the_clear() {
    for (kind, address, told) in [
        ("postgres", "postgres://a:hush@localhost/c", "`database` must not have a password in it"),
        ("postgres", "postgres://a@db.example/c", "sslmode=verify-full"),
        ("mysql", "mysql://a:hush@localhost/c", "`database` must not have a password in it"),
        ("mysql", "mysql://a@db.example/c", "ssl-mode=VERIFY_IDENTITY"),
        ("mysql", "mysql://a@db.example/c?ssl-mode=VERIFY_IDENTITY", "ssl-ca=FILE"),
        ("mysql", "mysql://a@db.example/c?ssl-mode=REQUIRED&ssl-ca=x", "VERIFY_IDENTITY"),
        ("mysql", "mysql://a@localhost/c?ssl-mode=REQUIRED", "no other TLS"),
        ("mysql", "mysql://a@127.0.0.1/c?ssl-mode=PREFERRED&ssl-ca=x", "no other TLS"),
        ("mysql", "mysql://a@localhost/c?ssl-mode=VERIFY_IDENTITY", "no other TLS"),
        ("mysql", "mysql://a@localhost/c?password=hush", "nothing else"),
        ("mysql", "postgres://a@localhost/c", "must be `mysql://USER@HOST/DATABASE`"),
    ] {
        let source =
            format!("      {kind}: {{database: \"{address}\", mode: watermark, {SERVER}}}\n");
        let mistakes = mistakes(&source).await;
        assert!(mistakes.contains(told), "{address}: {mistakes}");
        assert!(!mistakes.contains("hush"), "{mistakes}");
    }
}

#[tokio::test]
async fn refuses_settings_that_do_not_belong_together() {
    for (source, told) in [
        ("{}", "`source` needs one of `postgres`, `mysql`, `sqlite`, `csv` and `releases`"),
        ("{csv: {folder: in}}", "key `key` is missing"),
        ("{csv: {folder: in, key: a, delimiter: x}}", "not one of `,`, `;`, `|` and `tab`"),
        ("{csv: {folder: in, key: a, encoding: windows-1258}}", "not one of `utf-8`"),
        ("{csv: {foldr: in, key: a}}", "did you mean `folder`?"),
        (
            "{sqlite: {file: c, table: a.b.c, position: id, mode: watermark}}",
            "not a name of letters",
        ),
        ("{sqlite: {file: c, table: a, position: id, mode: outbox}}", "needs `taken_at` or"),
        (
            "{sqlite: {file: c, table: a, position: id, mode: outbox, taken: yes-please}}",
            "must be `delete`",
        ),
        (
            "{sqlite: {file: c, table: a, position: id, mode: watermark, taken: delete}}",
            "for mode `outbox` only",
        ),
        (
            "{postgres: {database: postgres://a@localhost/c, table: a, position: id, mode: outbox, taken: delete, overlap_minutes: 5}}",
            "`overlap_minutes` is for mode `watermark` only",
        ),
        (
            "{postgres: {database: postgres://a@localhost/c, table: a, position: id, mode: watermark, transaction_column: x, overlap_minutes: 5}}",
            "with `transaction_column` there is no `overlap_minutes`",
        ),
    ] {
        let source = match source {
            "{}" => "      {}\n".to_owned(),
            _ => {
                format!("      {}\n", source.strip_prefix('{').unwrap().strip_suffix('}').unwrap())
            }
        };
        let mistakes = mistakes(&source).await;
        assert!(mistakes.contains(told), "{told}: {mistakes}");
    }
}

#[tokio::test]
async fn reads_a_table_on_a_server_with_its_password_in_a_file_of_its_owner() {
    let mut world = World::new().await;
    let source = "      mysql: {database: mysql://a@localhost/c, password_file: db-password, table: o, \
                  mode: outbox, position: id, taken: delete, compare_hours: 0}\n";
    instead(&mut world, source);
    let file = world.folder.path().join("db-password");
    std::fs::write(&file, "hush\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let told = Config::read(&world.path()).unwrap_err().to_string();
    assert!(told.contains("may be read by others") && !told.contains("hush"), "{told}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let source = world.config().flows.remove(0).source;
    assert_eq!((source.batch, source.compare), (2_000, None));
    let SourceKind::Mysql(config) = source.kind else { panic!("not MySQL") };
    assert_eq!(config.table.mode, TableMode::Outbox(Taken::Delete));
    assert_eq!(config.table.key, "id");
    assert!(!format!("{config:?}").contains("hush"));
}
