//! `"30s"` to a number at compile time.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, Ident, Lit, LitStr};

use super::arguments::{as_text, expression};

/// A length of time as it was written.
#[derive(Clone)]
pub(crate) enum Time {
    /// A literal, in milliseconds.
    Millis(u64),
    /// An expression of type `Duration`, evaluated at every call.
    Expression(Expr),
}

/// The longest timeout that the runtime accepts; the same bound as in the protocol.
const DAYS_MAX: u64 = 7;
const MILLIS_MAX: u64 = DAYS_MAX * 24 * 60 * 60 * 1_000;

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// `= "30s"` or `= EXPRESSION`.
pub(crate) fn time(key: &Ident, input: ParseStream<'_>) -> syn::Result<Time> {
    let value = expression(input)?;
    if let Some(text) = as_text(&value) {
        return millis(key, text).map(Time::Millis);
    }
    if let Expr::Lit(ExprLit { lit, .. }) = &value {
        let number = match lit {
            Lit::Int(number) => number.base10_digits(),
            _ => "30",
        };
        let message = format!("say the unit: {key} = \"{number}s\" (units are ms, s, m, h)");
        return Err(syn::Error::new(lit.span(), message));
    }
    Ok(Time::Expression(value))
}

fn millis(key: &Ident, text: &LitStr) -> syn::Result<u64> {
    let error = |span: Span, message: String| Err(syn::Error::new(span, message));
    let written = text.value();
    let Some((number, unit)) = split(&written) else {
        return error(
            text.span(),
            format!(
                "\"{written}\" is no length of time: write a whole number and a unit (ms, s, m, h), \
                 such as {key} = \"30s\", or an expression of type `Duration`"
            ),
        );
    };
    match number.checked_mul(unit) {
        Some(0) => error(
            text.span(),
            format!("`{key}` must be longer than nothing; leave it out for the default"),
        ),
        Some(millis) if millis <= MILLIS_MAX => Ok(millis),
        _ => error(
            text.span(),
            format!("`{key}` is at most {DAYS_MAX} days ({}h)", DAYS_MAX * 24),
        ),
    }
}

/// The number, and how many milliseconds one of it has.
fn split(written: &str) -> Option<(u64, u64)> {
    let digits = written.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = written.split_at(digits);
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    // More digits than a u64 holds are longer than the longest time anyway.
    (!number.is_empty()).then(|| (number.parse().unwrap_or(u64::MAX), *unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Result<u64, String> {
        let key = Ident::new("timeout", Span::call_site());
        millis(&key, &LitStr::new(written, Span::call_site())).map_err(|error| error.to_string())
    }

    #[test]
    fn every_unit_becomes_milliseconds() {
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("30s"), Ok(30_000));
        assert_eq!(read("30 s"), Ok(30_000));
        assert_eq!(read("2m"), Ok(120_000));
        assert_eq!(read("168h"), Ok(MILLIS_MAX));
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_to_write() {
        for written in [
            "",
            "s",
            "30",
            "-1s",
            "1.5s",
            "30 sec",
            "30S",
            "1h30m",
            "\u{0663}s",
        ] {
            let error = read(written).unwrap_err();
            assert!(
                error.contains("such as timeout = \"30s\""),
                "{written}: {error}"
            );
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(
            read("0s").unwrap_err(),
            "`timeout` must be longer than nothing; leave it out for the default"
        );
        for written in ["169h", "99999999999999999999h", "18446744073709551615s"] {
            assert_eq!(
                read(written).unwrap_err(),
                "`timeout` is at most 7 days (168h)",
                "{written}"
            );
        }
    }
}
