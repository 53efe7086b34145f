//! What stands in an annotation's parentheses: `key = value`, `key(value)` or `key` alone,
//! separated by commas.
//!
//! Which keys exist is a table per annotation; unknown and repeated ones are found here, so that no
//! annotation can forget to look.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::diagnostics::{Errors, quoted, similar};
use crate::hygiene::CratePath;

/// One argument that an annotation takes.
pub(crate) struct Accepted {
    pub(crate) name: &'static str,
    /// What to write, for messages.
    pub(crate) example: &'static str,
}

/// How an argument is written.
#[derive(Clone, Copy)]
enum Form {
    /// `key = value`.
    Value,
    /// `key(..)`.
    List,
    /// `key` alone.
    Word,
}

impl Accepted {
    fn form(&self) -> Form {
        if self.example.contains(" = ") {
            Form::Value
        } else if self.example.contains('(') {
            Form::List
        } else {
            Form::Word
        }
    }
}

/// The longest name, in bytes; the same bound as in the protocol.
const NAME_BYTES_MAX: usize = 128;

/// Reads all arguments; `take` reads the value of a known one, its key read already.
///
/// A mistake ends its own argument only: the others are read all the same. What misspelt arguments
/// were meant to be comes back: those are not missing.
pub(crate) fn parse(
    annotation: &str,
    accepted: &[Accepted],
    tokens: TokenStream,
    errors: &mut Errors,
    mut take: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<String> {
    let mut misspelt = Vec::new();
    let parser = |input: ParseStream<'_>| {
        let mut seen = Vec::new();
        while !input.is_empty() {
            let before = errors.count();
            misspelt.extend(meant(accepted, input));
            let read = one(annotation, accepted, input, errors, &mut seen, &mut take);
            errors.keep(read);
            if errors.count() == before && !input.is_empty() && !input.peek(Token![,]) {
                errors.push(input.error("expected `,` between two arguments"));
            }
            skip_to_comma(input)?;
        }
        Ok(())
    };
    let done = parser.parse2(tokens);
    errors.keep(done);
    misspelt
}

/// What the next argument was probably meant to be, if there is none of its name.
fn meant(accepted: &[Accepted], input: ParseStream<'_>) -> Option<String> {
    let written = input.fork().call(Ident::parse_any).ok()?.to_string();
    let names = accepted.iter().map(|known| known.name);
    if names.clone().any(|name| name == written) {
        return None;
    }
    similar(&written, names).map(str::to_owned)
}

fn one(
    annotation: &str,
    accepted: &[Accepted],
    input: ParseStream<'_>,
    errors: &mut Errors,
    seen: &mut Vec<Ident>,
    take: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let key = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(
            error.span(),
            format!("expected an argument; {}", listed(annotation, accepted)),
        )
    })?;
    let Some(known) = accepted.iter().find(|known| key == known.name) else {
        let written = key.to_string();
        let meant = did_you_mean(&written, accepted.iter().map(|known| known.name));
        let list = listed(annotation, accepted);
        return Err(syn::Error::new(
            key.span(),
            format!("unknown argument `{written}`{meant} {list}"),
        ));
    };
    if seen.contains(&key) {
        errors.at(&key, format!("`{key}` is given twice; keep one of the two"));
        // The rest of a repeated argument is not looked at.
        skip_to_comma_kept(input);
        return Ok(());
    }
    seen.push(key.clone());
    let opened = match known.form() {
        Form::Value => input.peek(Token![=]) && !input.peek(Token![==]),
        Form::List => input.peek(syn::token::Paren),
        Form::Word => input.is_empty() || input.peek(Token![,]),
    };
    if !opened || is_last_before_comma(input) {
        let message = match known.form() {
            Form::Word => format!("`{key}` takes no value: write it alone"),
            _ => format!("`{key}` is written `{}`", known.example),
        };
        return Err(syn::Error::new(key.span(), message));
    }
    take(&key, input)
}

/// `, did you mean that?`, or the mark that ends the sentence without it.
fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match similar(written, known) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None => ";".to_owned(),
    }
}

/// Whether nothing but one token stands before the next comma: a `key =` without value.
fn is_last_before_comma(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    if ahead.parse::<Option<Token![=]>>().ok().flatten().is_none() {
        return false;
    }
    ahead.is_empty() || ahead.peek(Token![,])
}

fn listed(annotation: &str, accepted: &[Accepted]) -> String {
    format!(
        "#[{annotation}] accepts {}",
        quoted(accepted.iter().map(|known| known.name))
    )
}

fn skip_to_comma_kept(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    skip_to_comma_kept(input);
    input.parse::<Option<Token![,]>>().map(|_| ())
}

/// `= EXPRESSION`.
pub(crate) fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=]>()?;
    input.parse().map(ungrouped)
}

/// The expression inside the invisible groups that `macro_rules` fragments arrive in.
pub(crate) fn ungrouped(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) if group.attrs.is_empty() => ungrouped(*group.expr),
        other => other,
    }
}

/// The text, if the expression is a string literal.
pub(crate) fn as_text(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            attrs,
        }) if attrs.is_empty() => Some(text),
        _ => None,
    }
}

/// Whether the expression is this bare word.
pub(crate) fn is_word(expression: &Expr, word: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.qself.is_none() && path.path.is_ident(word))
}

/// `= "name"`, within the limits of names.
pub(crate) fn literal_name(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let value = expression(input)?;
    let Some(text) = as_text(&value) else {
        let message = format!("`{key}` takes a string literal: {key} = \"..\"");
        return Err(syn::Error::new_spanned(value, message));
    };
    check_name(text)?;
    Ok(text.clone())
}

/// `= ["name", ..]`, each within the limits of names.
pub(crate) fn literal_names(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let value = expression(input)?;
    let message = format!("`{key}` takes a list of string literals: {key} = [\"..\"]");
    let refuse = |tokens: &Expr| syn::Error::new_spanned(tokens, &message);
    let Expr::Array(list) = &value else {
        return Err(refuse(&value));
    };
    if list.elems.is_empty() {
        return Err(refuse(&value));
    }
    let names = list.elems.iter().map(|element| {
        let element = ungrouped(element.clone());
        let text = as_text(&element).ok_or_else(|| refuse(&element))?;
        check_name(text)?;
        Ok(text.clone())
    });
    names.collect()
}

/// A name as the protocol accepts it.
pub(crate) fn check_name(name: &LitStr) -> syn::Result<()> {
    let text = name.value();
    let why = if text.is_empty() {
        "a name must not be empty".to_owned()
    } else if text.len() > NAME_BYTES_MAX {
        format!(
            "a name has at most {NAME_BYTES_MAX} bytes, this one has {}",
            text.len()
        )
    } else if let Some(found) = text.chars().find(|c| c.is_control()) {
        format!("a name must not contain control characters; found {found:?}")
    } else {
        return Ok(());
    };
    Err(syn::Error::new(name.span(), why))
}

/// `= ::path::to::unanimous`.
pub(crate) fn crate_path(input: ParseStream<'_>) -> syn::Result<CratePath> {
    const WRITE: &str = "`crate` takes an absolute path to the crate `unanimous`: crate = ::renamed, \
                         crate = crate::renamed, or crate = $crate::renamed in a macro_rules macro";
    let equals = input.parse::<Token![=]>()?;
    let begin = input.fork();
    let Ok(path) = input.call(Path::parse_mod_style) else {
        let written: TokenTree = begin.parse()?;
        return Err(syn::Error::new(written.span(), WRITE));
    };
    let starts_at_a_crate = path
        .segments
        .first()
        .is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
    if path.leading_colon.is_none() && !starts_at_a_crate {
        return Err(syn::Error::new_spanned(path, WRITE));
    }
    Ok(CratePath::new(equals, &path))
}

/// `(TOKENS)`.
pub(crate) fn list<T>(
    input: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    parenthesized!(content in input);
    let value = read(&content)?;
    if content.is_empty() {
        return Ok(value);
    }
    Err(content.error("this belongs to no argument"))
}

/// `= word`, one of a few.
pub(crate) fn word<T: Copy>(
    key: &Ident,
    words: &[(&str, T)],
    input: ParseStream<'_>,
) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    let written = input.parse::<Word>()?;
    let accepted = quoted(words.iter().map(|(word, _)| word));
    let found = words.iter().find(|(word, _)| written.text == *word);
    match found {
        Some((word, _)) if written.in_quotes => {
            let message = format!("write it without quotes: {key} = {word}");
            Err(syn::Error::new_spanned(written.tokens, message))
        }
        Some((_, value)) => Ok(*value),
        None => {
            let meant = did_you_mean(&written.text, words.iter().map(|(word, _)| *word));
            let message = format!(
                "unknown {key} `{}`{meant} accepted are {accepted}",
                written.text
            );
            Err(syn::Error::new_spanned(written.tokens, message))
        }
    }
}

/// An identifier, or the literal that was written in its place.
struct Word {
    text: String,
    in_quotes: bool,
    tokens: TokenStream,
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            return Ok(Self {
                text: text.value(),
                in_quotes: true,
                tokens: text.into_token_stream(),
            });
        }
        let token: TokenTree = input.parse()?;
        Ok(Self {
            text: token.to_string(),
            in_quotes: false,
            tokens: token.into_token_stream(),
        })
    }
}
