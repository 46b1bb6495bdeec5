//! `lienthong store migrate` and `check`.

use lienthong_model::text::Language;
use lienthong_store::{
    Store, StoreError,
    check::{self, Problem},
    schema,
};
use serde_json::json;

use super::Look;
use crate::output::{Exit, Output, bar};

pub(super) async fn migrate(arguments: &Look, output: &Output) -> anyhow::Result<Exit> {
    let place = match arguments.place.find(output)? {
        Ok(place) => place,
        Err(exit) => return Ok(exit),
    };
    let (before, after) = match schema::migrate(&place).await {
        Ok(versions) => versions,
        // In use, or of a newer program: another try changes nothing.
        Err(error @ (StoreError::InUse(_) | StoreError::Migrate(_))) => {
            return refuse(error, arguments.json, output);
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        output.json(&json!({"from": before, "to": after}))?;
    } else if before == after {
        let text = output.choose("đã là phiên bản mới nhất", "is up to date: version");
        output.line(format!("{text} {after}"));
    } else {
        output.line(match output.language() {
            Language::English => format!("brought from version {before} to version {after}"),
            Language::Vietnamese => format!("đã nâng từ phiên bản {before} lên phiên bản {after}"),
        });
    }
    Ok(Exit::Done)
}

/// Says no, with the reason and what it rests on.
pub(super) fn refuse(
    error: impl Into<anyhow::Error>,
    json: bool,
    output: &Output,
) -> anyhow::Result<Exit> {
    let error = error.into();
    if json {
        output.json(&json!({"error": format!("{error:#}")}))?;
    } else {
        output.line(format!("{}: {error:#}", output.choose("từ chối", "refused")));
    }
    Ok(Exit::No)
}

pub(super) async fn check(arguments: &Look, output: &Output) -> anyhow::Result<Exit> {
    let place = match arguments.place.find(output)? {
        Ok(place) => place,
        Err(exit) => return Ok(exit),
    };
    let progress = bar(output.choose("kiểm tra", "checking"), 0);
    let looked = async {
        let store = Store::look(place).await?;
        let heard = &mut |done, of| {
            progress.set_length(of);
            progress.set_position(done);
        };
        check::check(&store, heard).await
    };
    let looked = looked.await;
    progress.finish_and_clear();
    let (head, found) = match looked {
        Ok(looked) => looked,
        Err(error) if error.is_damage() => (0, vec![Problem::Damaged(error.told())]),
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        let problems: Vec<_> = found.iter().map(|one| one.text(Language::English)).collect();
        output.json(&json!({"sound": found.is_empty(), "head": head, "problems": problems}))?;
    } else {
        found.iter().for_each(|one| output.line(one.text(output.language())));
        tell_end(head, found.is_empty(), output);
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::No })
}

fn tell_end(head: u64, is_sound: bool, output: &Output) {
    output.line(match (output.language(), is_sound) {
        (Language::English, true) => format!("the store is sound; revision {head}"),
        (Language::Vietnamese, true) => format!("kho dữ liệu toàn vẹn; số hiệu sửa đổi {head}"),
        (Language::English, false) => "THE STORE IS NOT SOUND".to_owned(),
        (Language::Vietnamese, false) => "KHO DỮ LIỆU KHÔNG TOÀN VẸN".to_owned(),
    });
}
