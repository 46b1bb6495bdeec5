//! The properties of an object, found by the bytes of a key.

/// One declared property.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// The name as a JSON string and its colon.
    pub(crate) opening: Box<[u8]>,
    pub(crate) node: usize,
    /// Whether anything of it passes.
    pub(crate) emit: bool,
    /// Whether its absence is a violation.
    pub(crate) required: bool,
}

impl Property {
    pub(crate) fn new(name: &str, node: usize, emit: bool, required: bool) -> Self {
        let mut opening = Vec::with_capacity(name.len() + 3);
        crate::write::string(name, &mut opening);
        opening.push(b':');
        Self { name: name.to_owned(), opening: opening.into(), node, emit, required }
    }
}

/// The declared properties of one object: an open-addressed table, at most half full, over a hash
/// of the length and the first and last bytes. The table is made from the schema alone, so that a
/// sender cannot lengthen its probes.
#[derive(Debug)]
pub(crate) struct Properties {
    list: Box<[Property]>,
    /// Index into `list` plus one; 0 is free.
    table: Box<[u32]>,
    /// A bit for each required property.
    required: Box<[u64]>,
}

impl Properties {
    pub(crate) fn new(list: Vec<Property>) -> Self {
        let size = (list.len() * 2).next_power_of_two().max(2);
        let mut properties = Self {
            required: vec![0; list.len().div_ceil(64)].into(),
            table: vec![0; size].into(),
            list: list.into(),
        };
        for (index, property) in properties.list.iter().enumerate() {
            let mut slot = hash(property.name.as_bytes());
            while let Some(entry) = properties.table.get_mut(slot & (size - 1)) {
                if *entry == 0 {
                    *entry = u32::try_from(index + 1).unwrap_or(0);
                    break;
                }
                slot = slot.wrapping_add(1);
            }
            if property.required
                && let Some(word) = properties.required.get_mut(index / 64)
            {
                *word |= 1 << (index % 64);
            }
        }
        properties
    }

    /// The property named `key` and its index.
    pub(crate) fn find(&self, key: &str) -> Option<(usize, &Property)> {
        let mut slot = hash(key.as_bytes());
        loop {
            let entry = *self.table.get(slot & (self.table.len() - 1))?;
            let index = usize::try_from(entry).ok()?.checked_sub(1)?;
            let property = self.list.get(index)?;
            if property.name == key {
                return Some((index, property));
            }
            slot = slot.wrapping_add(1);
        }
    }

    /// How many words a bit for each property takes.
    pub(crate) fn words(&self) -> usize {
        self.required.len()
    }

    /// A required property without its bit in `seen`.
    pub(crate) fn missing(&self, seen: &[u64]) -> Option<&Property> {
        let words = self.required.iter().zip(seen).enumerate();
        let (word, lacking) = words
            .map(|(word, (required, seen))| (word, required & !seen))
            .find(|(_, lacking)| *lacking != 0)?;
        self.list.get(word * 64 + lacking.trailing_zeros() as usize)
    }
}

/// A hash of the length, the first and the last bytes.
#[inline]
fn hash(name: &[u8]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let ends = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
    } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) ^ u64::from(u32::from_le_bytes(*last)) << 32
    } else {
        name.iter().fold(0, |n, b| n << 8 | u64::from(*b))
    };
    ((ends ^ name.len() as u64).wrapping_mul(MIX) >> 40) as usize
}

#[cfg(test)]
mod tests;
