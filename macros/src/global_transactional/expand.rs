//! Model in, tokens out: the user's item with a body of one expression, which calls one function of
//! the runtime.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::args::{CommitOn, Propagation};
use super::model::Model;
use crate::hygiene::{CratePath, at, braces, local};
use crate::syntax::annotated_fn::Body;
use crate::syntax::async_fn::Shape;
use crate::syntax::duration::Time;
use crate::syntax::return_type::{converted, erased, turbofish, unreachable_return};

/// Input:
/// ```text
/// async fn purchase(user: &str) -> Result<u64, E> { STATEMENTS }
/// ```
/// Output:
/// ```text
/// async fn purchase(user: &str) -> Result<u64, E> {
///     run_global(SPEC, how(), pin!(Some(async move { UNREACHABLE RETURN { STATEMENTS } }))).await
/// }
/// ```
pub(crate) fn expand(model: &Model) -> TokenStream {
    let content = match &model.shape {
        Shape::Async => run(
            model,
            &quote_spanned!(Span::mixed_site()=> async move),
            &model.body,
        ),
        Shape::Block(block) => block.around(run(model, &block.head, &block.body)),
        Shape::Boxed => boxed(model),
    };
    model.function.with_body(content)
}

/// The one expression.
fn run(model: &Model, head: &TokenStream, body: &Body) -> TokenStream {
    let edge = model.output.as_ref().map(unreachable_return);
    let statements = body.block();
    call(model, &quote!(#head { #edge #statements }))
}

/// A body that makes its future in any way, with statements before it: called as a closure, so that
/// an early return is inside the transaction too, and boxed again.
fn boxed(model: &Model) -> TokenStream {
    let statements = model.body.block();
    let returned = match &model.function.sig.output {
        syn::ReturnType::Type(_, returned) => erased(returned),
        syn::ReturnType::Default => quote!(()),
    };
    let future = quote_spanned! {Span::mixed_site()=>
        async move { (move || -> #returned #statements)().await }
    };
    let call = call(model, &future);
    quote_spanned!(Span::mixed_site()=> ::std::boxed::Box::pin(async move { #call }))
}

fn call(model: &Model, future: &TokenStream) -> TokenStream {
    let run_global = model.krate.private("run_global");
    let (spec, how) = (spec(model), how(model));
    quote_spanned! {Span::mixed_site()=>
        #run_global(
            #spec,
            #how,
            ::core::pin::pin!(::core::option::Option::Some(#future)),
        )
        .await
    }
}

/// The arguments as plain data.
fn spec(model: &Model) -> TokenStream {
    let (spec, name) = (model.krate.private("GlobalSpec"), &model.name);
    let timeout = model.timeout.as_ref().map(|time| setting("timeout", time));
    let settle = model.settle.as_ref().map(|time| setting("settle", time));
    let propagation = model.propagation.map(|propagation| {
        let (kind, word) = (
            model.krate.private("Propagation"),
            propagation_name(propagation),
        );
        let word = local(word);
        quote_spanned!(Span::mixed_site()=> .propagation(#kind::#word))
    });
    let runtime = model.runtime.as_ref().map(|runtime| {
        // A value of another type is reported where it is written.
        let first = runtime.to_token_stream().into_iter().next();
        let lent = first.map_or_else(Span::mixed_site, |first| at(first.span()));
        let lent = quote_spanned!(lent=> &);
        quote_spanned!(Span::mixed_site()=> .runtime(#lent #runtime))
    });
    quote_spanned!(Span::mixed_site()=> #spec::new(#name)#timeout #settle #propagation #runtime)
}

fn setting(name: &str, time: &Time) -> TokenStream {
    match time {
        Time::Millis(millis) => {
            let (name, millis) = (
                local(&format!("{name}_ms")),
                Literal::u64_unsuffixed(*millis),
            );
            quote_spanned!(Span::mixed_site()=> .#name(#millis))
        }
        Time::Expression(value) => {
            let name = local(name);
            quote_spanned!(Span::mixed_site()=> .#name(#value))
        }
    }
}

fn propagation_name(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::Required => "Required",
        Propagation::RequiresNew => "RequiresNew",
        Propagation::Supports => "Supports",
        Propagation::NotSupported => "NotSupported",
        Propagation::Mandatory => "Mandatory",
        Propagation::Never => "Never",
    }
}

/// The witness of the return type: what a missing bound is reported about, once, at the `->`.
fn how(model: &Model) -> TokenStream {
    let output = model.output.as_ref();
    let how = match &model.map_err {
        // A guard may call methods of the error before the body tells its type.
        None => {
            let of = model.commit_on.as_ref().and(output).map(turbofish);
            let nothing = TokenStream::new();
            model.krate.call_under("how", model.arrow, of, nothing)
        }
        // With the type, an error of another one is reported at the conversion.
        Some(convert) => {
            let (of, convert) = (output.map(turbofish), converted(convert));
            model
                .krate
                .call_under("how_mapped", model.arrow, of, convert)
        }
    };
    let commit_on = model.commit_on.as_ref();
    let commit_on = commit_on.map(|arguments| commit_on_call(&model.krate, arguments));
    quote!(#how #commit_on)
}

fn commit_on_call(krate: &CratePath, CommitOn { pattern, guard }: &CommitOn) -> TokenStream {
    let result = local("__result");
    let guard = guard.as_ref().map(|guard| quote!(if #guard));
    let arms = quote_spanned! {Span::mixed_site()=>
        ::core::result::Result::Err(#pattern) #guard => true,
        _ => false,
    };
    let arms = braces(arms, Span::mixed_site());
    let (text, without_text) = (krate.private("Text"), krate.private("WithoutText"));
    // The trait serves errors without `Display` alone.
    quote_spanned! {Span::mixed_site()=>
        .commit_on(
            |#result| match #result #arms,
            |#result| {
                #[allow(unused_imports)]
                use #without_text as _;
                #text(#result).text()
            },
        )
    }
}
