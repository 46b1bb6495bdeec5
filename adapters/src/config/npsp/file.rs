//! The settings of the files that go with a record.

use std::path::PathBuf;

use lienthong_model::{
    document::Node,
    opaque::OpaqueType,
    schema::{Kind, Schema},
};

use super::{Offered, Reader};

/// The files that go with the records of one call.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// The call whose records have files.
    pub call: String,
    /// The list in the record; each element may name a file.
    pub list: String,
    /// The member of an element that holds the file's path below the folder.
    pub file: String,
    /// The member that takes the id or link that the platform answers.
    pub into: String,
    /// The member that takes the file's SHA-256, when there is one.
    pub hash: Option<String>,
    /// The call that takes a file.
    pub upload: String,
    /// The folder that all files are in.
    pub folder: PathBuf,
    /// The types that are sent.
    pub media: Vec<OpaqueType>,
    /// Most bytes of a file. Default 10 MiB.
    pub max_bytes: u64,
    /// Most files of a record. Default 20.
    pub max_files: u32,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn files_of(&mut self, node: &'a Node, offered: &Offered) -> Option<FilesConfig> {
        let names = ["call", "list", "file", "into", "hash", "upload", "folder"];
        let known = [&names[..], &["media", "max_bytes", "max_files"]].concat();
        let folder = self.folder;
        let mut map = self.map(node, "`files`", &known)?;
        let [call, list, file, into, upload, below] =
            ["call", "list", "file", "into", "upload", "folder"].map(|name| map.text(name));
        let hash = map.optional("hash").and_then(|_| map.text("hash"));
        let media: Vec<Media> = map.parse_list("media");
        let max_bytes = map.integer("max_bytes", 1..=52_428_800, 10_485_760);
        let max_files = map.integer("max_files", 1..=100, 20);
        if media.is_empty() {
            self.mistake(node.at, "`media` must name at least one type of file");
        }
        let upload = self.offers(node, upload?, offered);
        let (call, list, file, into) = (call?, list?, file?, into?);
        let Some(record) = offered.records.get(call) else {
            self.mistake(node.at, format!("no call `{call}` with records"));
            return None;
        };
        let Some(element) = property(record, list).and_then(items) else {
            self.mistake(node.at, format!("records of `{call}` have no list `{list}`"));
            return None;
        };
        for name in [Some(file), Some(into), hash].into_iter().flatten() {
            if property(element, name).is_none() {
                self.mistake(node.at, format!("elements of `{list}` have no `{name}`"));
            }
        }
        Some(FilesConfig {
            call: call.to_owned(),
            list: list.to_owned(),
            file: file.to_owned(),
            into: into.to_owned(),
            hash: hash.map(str::to_owned),
            upload: upload?,
            folder: folder.join(below?),
            media: media.into_iter().map(|media| media.0).collect(),
            max_bytes: max_bytes.unsigned_abs(),
            max_files: u32::try_from(max_files).unwrap_or(20),
        })
    }
}

fn property<'s>(schema: &'s Schema, name: &str) -> Option<&'s Schema> {
    match &schema.kind {
        Kind::Object(rules) => rules.properties.get(name),
        _ => None,
    }
}

fn items(schema: &Schema) -> Option<&Schema> {
    match &schema.kind {
        Kind::Array(rules) => Some(&rules.items),
        _ => None,
    }
}

struct Media(OpaqueType);

impl std::str::FromStr for Media {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OpaqueType::from_media_type(text).map(Self).ok_or("not a type of file that can be sent")
    }
}
