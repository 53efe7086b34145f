//! Which statements a text holds, told by their first keywords. Nothing else is parsed.

/// The first keyword of every statement of `sql`, as written; empty statements have none.
///
/// Follows SQLite's tokens: white space (with the byte order mark), both kinds of comments, the
/// four kinds of quotes, and the body of `CREATE TRIGGER`, whose semicolons end no statement.
pub(super) fn first_keywords(sql: &str) -> impl Iterator<Item = &str> {
    let mut tokens = Tokens { rest: sql };
    std::iter::from_fn(move || tokens.next_statement())
}

struct Tokens<'a> {
    rest: &'a str,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Semicolon,
    Other,
}

impl<'a> Tokens<'a> {
    /// The first keyword of the next statement that has one; skips to its end.
    fn next_statement(&mut self) -> Option<&'a str> {
        let first = loop {
            match self.next()? {
                Token::Semicolon => {}
                Token::Word(word) => break word,
                Token::Other => break "",
            }
        };
        if first.eq_ignore_ascii_case("CREATE") && self.is_trigger() {
            self.skip_trigger();
        } else {
            self.skip_statement();
        }
        Some(first)
    }

    /// Whether what follows `CREATE` is a trigger; takes nothing else.
    fn is_trigger(&mut self) -> bool {
        let before = self.rest;
        let mut token = self.next();
        if let Some(Token::Word(word)) = token
            && (word.eq_ignore_ascii_case("TEMP") || word.eq_ignore_ascii_case("TEMPORARY"))
        {
            token = self.next();
        }
        let trigger =
            matches!(token, Some(Token::Word(word)) if word.eq_ignore_ascii_case("TRIGGER"));
        if !trigger {
            self.rest = before;
        }
        trigger
    }

    /// A trigger ends where an `END` follows the semicolon of its last statement.
    fn skip_trigger(&mut self) {
        let mut after_semicolon = false;
        while let Some(token) = self.next() {
            match token {
                Token::Word(word) if after_semicolon && word.eq_ignore_ascii_case("END") => {
                    return self.skip_statement();
                }
                token => after_semicolon = token == Token::Semicolon,
            }
        }
    }

    fn skip_statement(&mut self) {
        while let Some(token) = self.next() {
            if token == Token::Semicolon {
                return;
            }
        }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let first = self.rest.chars().next()?;
        let (token, length) = match first {
            ';' => (Token::Semicolon, 1),
            '\'' | '"' | '`' => (Token::Other, quoted(self.rest, first)),
            '[' => (
                Token::Other,
                self.rest.find(']').map_or(self.rest.len(), |at| at + 1),
            ),
            first if is_word(first) => {
                let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                (Token::Word(&self.rest[..length]), length)
            }
            other => (Token::Other, other.len_utf8()),
        };
        self.rest = &self.rest[length..];
        Some(token)
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self
                .rest
                .trim_start_matches([' ', '\t', '\n', '\r', '\x0c', '\u{feff}']);
            let length = if rest.starts_with("--") {
                rest.find('\n').map_or(rest.len(), |at| at + 1)
            } else if let Some(comment) = rest.strip_prefix("/*") {
                comment.find("*/").map_or(rest.len(), |at| at + 4)
            } else {
                self.rest = rest;
                return;
            };
            self.rest = &rest[length..];
        }
    }
}

/// The length of a quoted text that starts `rest`; its quote is doubled inside.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = rest[at..].find(quote) {
        at += found + 1;
        if !rest[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || (!c.is_ascii() && c != '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_statement_of_a_text_is_told_by_its_first_keyword() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" ;; -- nothing\n /* nor here */ ;", &[]),
            ("SELECT 1", &["SELECT"]),
            ("\u{feff}\x0c commit", &["commit"]),
            ("-- a\n/* b */ ;BEGIN", &["BEGIN"]),
            ("SELECT 'a;COMMIT'; END", &["SELECT", "END"]),
            (
                "SELECT 'it''s;COMMIT' ;rollback to x",
                &["SELECT", "rollback"],
            ),
            (
                "SELECT \"a;b\", `c;d`, [e;f] FROM t;release x",
                &["SELECT", "release"],
            ),
            (
                "SELECT 1 /* ; COMMIT */ -- ; COMMIT\n;SAVEPOINT a",
                &["SELECT", "SAVEPOINT"],
            ),
            (
                "INSERT INTO t VALUES (1);COMMIT;INSERT INTO t VALUES (2)",
                &["INSERT", "COMMIT", "INSERT"],
            ),
            ("(SELECT 1)", &[""]),
            (
                "create temp trigger t after insert on a begin update b set c = case 1 when 1 then 2 end; end; COMMIT",
                &["create", "COMMIT"],
            ),
            ("CREATE TABLE t (a); END", &["CREATE", "END"]),
            ("SELECT 'unterminated; COMMIT", &["SELECT"]),
            ("/* unterminated; COMMIT", &[]),
            ("/*/ COMMIT */ END", &["END"]),
            ("beginning; COMMITS", &["beginning", "COMMITS"]),
        ];
        for (sql, expected) in cases {
            assert_eq!(&first_keywords(sql).collect::<Vec<_>>(), expected, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_scanner_panic_or_run_for_ever(sql in "(\\PC|[ ;'\"`\\[\\]/*\n-]){0,64}") {
            prop_assert!(first_keywords(&sql).count() <= sql.len());
        }

        #[test]
        fn a_keyword_after_a_semicolon_outside_quotes_is_always_found(
            before in "[a-z ]{0,16}", space in "[ \t\n;]{0,8}",
        ) {
            let sql = format!("SELECT {before};{space}COMMIT");
            prop_assert!(first_keywords(&sql).any(|keyword| keyword == "COMMIT"));
        }
    }
}
