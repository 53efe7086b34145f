//! An object of a few scalars, read in one pass and without allocating.

/// More fields are left to the parser.
const FIELDS_MAX: usize = 8;

/// The fields of an object none of which holds another, names and texts as they were written.
#[derive(Debug)]
pub(super) struct Flat<'a> {
    fields: [(&'a str, &'a str); FIELDS_MAX],
    count: usize,
}

impl<'a> Flat<'a> {
    /// None for what the parser is to read, or to refuse: whatever is nested, escaped, spaced,
    /// named twice, has many fields, or is not well-formed.
    pub(super) fn read(object: &'a str) -> Option<Self> {
        let mut flat = Self {
            fields: [("", ""); FIELDS_MAX],
            count: 0,
        };
        let mut rest = object.strip_prefix('{')?;
        if rest == "}" {
            return Some(flat);
        }
        loop {
            let (name, after) = text(rest)?;
            let (value, after) = scalar(after.strip_prefix(':')?)?;
            flat.insert(name, value)?;
            if after == "}" {
                return Some(flat);
            }
            rest = after.strip_prefix(',')?;
        }
    }

    /// By name.
    pub(super) fn sorted(&self) -> &[(&'a str, &'a str)] {
        self.fields.get(..self.count).unwrap_or_default()
    }

    fn insert(&mut self, name: &'a str, value: &'a str) -> Option<()> {
        let found = self.sorted().binary_search_by_key(&name, |(name, _)| name);
        let Err(at) = found else { return None };
        let places = self.fields.get_mut(at..=self.count)?;
        places.rotate_right(1);
        *places.first_mut()? = (name, value);
        self.count += 1;
        Some(())
    }
}

/// What stands between two quotes, and what follows them.
fn text(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let special = |byte: u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
    let end = inner.bytes().position(special)?;
    let after = inner.get(end..)?.strip_prefix('"')?;
    Some((inner.get(..end)?, after))
}

/// The text of a value that holds no other, and what follows it.
fn scalar(text: &str) -> Option<(&str, &str)> {
    let after = match text.as_bytes().first()? {
        b'"' => self::text(text)?.1,
        b'-' | b'0'..=b'9' => number(text)?,
        b't' => text.strip_prefix("true")?,
        b'f' => text.strip_prefix("false")?,
        _ => text.strip_prefix("null")?,
    };
    Some((text.get(..text.len() - after.len())?, after))
}

/// What follows an integer; whoever writes others leaves them to the parser.
fn number(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let leading_zero = count > 1 && digits.starts_with('0');
    let after = digits.get(count..)?;
    (count > 0 && !leading_zero && !after.starts_with(['.', 'e', 'E'])).then_some(after)
}
