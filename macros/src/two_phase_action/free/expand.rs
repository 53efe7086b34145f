//! Model in, tokens out: phase one in the function's own body, and beside it the record by which
//! the function is found when it is provided.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::model::{Action, Bound, Call, State, What};
use crate::hygiene::{CratePath, at, braces, local, moved};
use crate::syntax::async_fn::Shape;
use crate::syntax::parameter::{Form, recorded_name};
use crate::syntax::return_type::{erased, unreachable_return};
use crate::syntax::types::{is_unsized, may_be_unsized};
use crate::two_phase_action::expand::{
    allow_unused, how, or_default, pinned, recorder, transaction, tried,
};
use crate::two_phase_action::model::{RecordedParameter, lent_inside};

/// The whole output.
pub(super) fn expand(action: &Action) -> TokenStream {
    let (function, linked) = (phase_one(action), linked(action));
    quote!(#function #linked)
}

/// Input:
/// ```text
/// async fn debit(tx: &mut FenceTx<Sqlite>, #[state] db: &SqlitePool, user: &str) -> Result<(), E> { STATEMENTS }
/// ```
/// Output:
/// ```text
/// async fn debit(user: &str) -> Result<(), E> {
///     run_fenced_function(&const { SPEC }, FENCE, ARGUMENTS, how_fenced(), async |__lent, __states| -> Result<(), E> {
///         UNREACHABLE RETURN let tx: &mut FenceTx<Sqlite> = __lent; let db: &SqlitePool = __states.get(); { STATEMENTS }
///     }).await
/// }
/// ```
fn phase_one(action: &Action) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &action.krate;
    let (spec, recorder) = (spec(action), recorder(&action.recorded, krate));
    let (how, body) = (witness(action), body(action));
    let call = match fence(action) {
        Some((lets, fence)) => {
            let (run, states) = (krate.private("run_fenced_function"), local("__states"));
            quote_spanned! {mixed=>
                #run(&const { #spec }, |#states| { #lets #fence }, #recorder, #how, #body).await
            }
        }
        None => {
            let run = krate.private("run_unfenced_function");
            quote_spanned!(mixed=> #run(&const { #spec }, #recorder, #how, #body).await)
        }
    };
    let content = match &action.shape {
        Shape::Block(block) => block.around(call),
        _ => call,
    };
    let allow = allow_unused(&action.recorded);
    let function = action.function.with_body(content);
    quote!(#allow #function)
}

/// The witness of the return type.
fn witness(action: &Action) -> TokenStream {
    how(
        &action.output,
        action.arrow,
        action.map_err.as_ref(),
        action.fence.is_some(),
        action.keeps_tried(),
        &action.krate,
    )
}

/// The body as an async closure over the fence's transaction and the states.
fn body(action: &Action) -> TokenStream {
    let mixed = Span::mixed_site();
    let (output, edge) = (erased(&action.output), unreachable_return(&action.output));
    let (lent, states) = (local("__lent"), local("__states"));
    let given = match &action.tx {
        Some(_) => quote!(#lent, #states),
        None => quote!(#states),
    };
    let tx = action.tx.as_ref().map(|tx| transaction(tx, &lent));
    let locals = action.states.iter().map(|state| {
        let used = action.is_used_outside(&state.ident);
        let allow = used.then(|| quote_spanned!(mixed=> #[allow(unused_variables)]));
        let quiet = state
            .ident
            .to_string()
            .starts_with('_')
            .then(|| quote_spanned!(mixed=> #[allow(clippy::no_effect_underscore_binding)]));
        let (pat, attrs) = (&state.parameter.pat, &state.parameter.attrs);
        let colon = &state.parameter.colon_token;
        let (ty, value) = (&state.parameter.ty, state_value(state));
        quote_spanned!(mixed=> #allow #quiet #(#attrs)* let #pat #colon #ty = #value;)
    });
    let statements = match &action.shape {
        Shape::Block(block) => block.body.block(),
        _ => action.body.block(),
    };
    let body = braces(
        quote!(#edge #tx #(#locals)* #statements),
        at(action.body.braces),
    );
    quote_spanned!(mixed=> async |#given| -> #output #body)
}

/// `__states.get()`, at the `:` of the parameter.
fn state_value(state: &State) -> TokenStream {
    let states = local("__states");
    let get = local(if state.owned { "cloned" } else { "get" });
    moved(quote!(#states.#get()), state.parameter.colon_token.span)
}

/// `let db: &SqlitePool = __states.get();`, for those states that it names, and `fence_of(db)`.
fn fence(action: &Action) -> Option<(TokenStream, TokenStream)> {
    let fence = action.fence.as_ref()?;
    let expression = &fence.expression;
    let named = action.states.iter().filter_map(|state| {
        let ident = super::mention::of(expression, &recorded_name(&state.ident))?;
        Some((ident, state))
    });
    let (mut lets, mut is_state) = (TokenStream::new(), false);
    for (ident, state) in named {
        let (ident, held) = (placed(&ident, fence.equals), &state.held);
        let states = local("__states");
        lets.extend(quote_spanned! {Span::mixed_site()=>
            let #ident: &#held = #states.get();
        });
        is_state |= matches!(expression, syn::Expr::Path(path) if path.path.is_ident(&state.ident));
    }
    let fence_of = action.krate.private_at("fence_of", fence.equals);
    // A state is lent already.
    let lent = if is_state { quote!(&*) } else { quote!(&) };
    let lent = moved(lent, fence.equals);
    let lent = braces(quote!(#lent #expression), at(fence.equals));
    let call = quote_spanned!(at(fence.equals)=> #fence_of(#lent));
    Some((lets, call))
}

/// The record that `inventory` collects. Its constant has a long name: constants have no hygiene, and
/// one of the user's names that it met would become a pattern.
fn linked(action: &Action) -> TokenStream {
    let (mixed, krate) = (Span::mixed_site(), &action.krate);
    let [inventory, linked, type_of, need] =
        ["inventory", "LinkedFunction", "type_of", "Need"].map(|name| krate.private(name));
    let spec = spec(action);
    let sig = &action.function.sig;
    let function = placed(&sig.ident, sig.paren_token.span.open());
    let needs = (!action.states.is_empty()).then(|| {
        let held = action.states.iter().map(|state| &state.held);
        quote_spanned!(mixed=> .needs(&[#(#need::of::<#held>()),*]))
    });
    let aliases = (!action.aliases.is_empty()).then(|| {
        let aliases = action.aliases.iter();
        let specs = aliases.map(|alias| spec_named(action, &quote!(#alias)));
        quote_spanned!(mixed=> .aliases(&[#(#specs),*]))
    });
    let fence = fence(action).map(|(lets, fence)| {
        let states = local("__states");
        quote_spanned!(mixed=> .fence(|#states| { #lets #fence.erased() }))
    });
    let partners = partners(action);
    let name = name(action);
    let record = quote_spanned! {mixed=>
        #[allow(deprecated, clippy::used_underscore_binding)]
        #[allow(clippy::significant_drop_tightening)]
        const _: () = {
            const __LINKED_FUNCTION: #linked =
                #linked::new(#spec, #type_of(#function), #name) #aliases #needs #fence #partners;
            #inventory::submit! { __LINKED_FUNCTION }
        };
    };
    beside(
        &action.cfgs().collect::<Vec<_>>(),
        &record,
        sig.paren_token.span.open(),
    )
}

/// Items beside the function. A function that stands in an impl block looks like a free one, but no
/// items can stand beside it: rustc says that it does not know the macro, whose name says why.
fn beside(cfgs: &[&syn::Attribute], record: &TokenStream, place: Span) -> TokenStream {
    let mut macro_name = local("two_phase_action_in_an_impl_block_needs_participant_above_it");
    macro_name.set_span(at(place));
    quote_spanned! {at(place)=>
        #(#cfgs)*
        macro_rules! #macro_name { ($($record:tt)*) => { $($record)* } }
        #(#cfgs)*
        #macro_name! { #record }
    }
}

/// `.commit(..).rollback(..)`. Partners that take the same are called by one future, which is what
/// keeps `cargo check` fast.
fn partners(action: &Action) -> TokenStream {
    let mixed = Span::mixed_site();
    let (states, branch) = (local("__states"), local("__branch"));
    if let (Some(commit), Some(rollback)) = (&action.commit, &action.rollback)
        && commit.by_position
        && rollback.by_position
    {
        let future = either(action, commit, rollback);
        return quote_spanned!(mixed=> .partners(|#states, #branch| #future));
    }
    let calls = [("commit", &action.commit), ("rollback", &action.rollback)];
    let partners = calls.into_iter().filter_map(|(word, call)| {
        let (word, future) = (local(word), alone(action, call.as_ref()?));
        Some(quote_spanned!(mixed=> .#word(|#states, #branch| #future)))
    });
    partners.collect()
}

/// Calls the one partner.
fn alone(action: &Action, call: &Call) -> TokenStream {
    let (reads, transaction) = reads(action, call);
    let called = called(action, call);
    pinned(&quote!(#reads #transaction #called), [call.equals; 2])
}

/// Calls one of the two, which are passed the same.
fn either(action: &Action, commit: &Call, rollback: &Call) -> TokenStream {
    let mixed = Span::mixed_site();
    let (reads, transaction) = reads(action, commit);
    let (decided, decision) = (local("__decision"), action.krate.private("Decision"));
    let branch = local("__branch");
    let arms = [("Commit", commit), ("Rollback", rollback)].map(|(word, call)| {
        let (word, called) = (local(word), called(action, call));
        quote_spanned!(mixed=> #decision::#word => { #called })
    });
    let body = quote_spanned! {mixed=>
        #reads
        let #decided = #branch.decision();
        #transaction
        match #decided { #(#arms)* }
    };
    pinned(&body, [commit.equals, rollback.equals])
}

/// Reads what the arguments name: the transaction last, as nothing else can be read while it is
/// lent out.
fn reads(action: &Action, call: &Call) -> (TokenStream, TokenStream) {
    let is_tx = |bound: &&Bound| matches!(bound.what, What::Tx(_));
    let reads = call.bound.iter().filter(|bound| !is_tx(bound));
    let transaction = call.bound.iter().filter(is_tx);
    (
        reads.map(|bound| read(action, bound, call)).collect(),
        transaction.map(|bound| read(action, bound, call)).collect(),
    )
}

/// The call of the partner and its answer.
fn called(action: &Action, call: &Call) -> TokenStream {
    let (partner, arguments) = (&call.partner, &call.arguments);
    let answer = placed(&local("__answer"), call.equals);
    let mut arguments = Group::new(proc_macro2::Delimiter::Parenthesis, arguments.clone());
    // What is wrong with the call as a whole is reported from its first token to its last.
    arguments.set_span(at(call.parens));
    let ended = action.krate.private_at("ended", call.equals);
    quote_spanned! {at(call.equals)=>
        let #answer = #partner #arguments.await;
        #ended(#answer)
    }
}

/// The local of phase two that a name stands for.
fn read(action: &Action, bound: &Bound, call: &Call) -> TokenStream {
    let (mixed, krate, branch) = (Span::mixed_site(), &action.krate, local("__branch"));
    match &bound.what {
        What::Tx(tx) => {
            let (ident, ty) = (placed(&bound.ident, tx.colon_token.span), &tx.ty);
            let lent = krate.private("transaction_of");
            quote_spanned!(mixed=> let #ident: #ty = #lent(#branch)?;)
        }
        What::Branch => {
            let ident = placed(&bound.ident, call.equals);
            quote_spanned!(mixed=> let #ident = &#branch.context();)
        }
        What::Tried { optional } => {
            let (ident, value) = (placed(&bound.ident, call.equals), local("__tried"));
            let how = witness(action);
            let read = tried(&action.output, *optional, call.equals, &how, krate);
            let lent = if *optional {
                quote_spanned!(mixed=> #value.as_ref())
            } else {
                quote_spanned!(mixed=> &#value)
            };
            quote_spanned!(mixed=> #read let #ident = #lent;)
        }
        What::State(state) => {
            let ident = placed(&bound.ident, state.parameter.colon_token.span);
            let (ty, value) = (&state.parameter.ty, state_value(state));
            quote_spanned!(mixed=> let #ident: #ty = #value;)
        }
        What::Recorded(parameter) => {
            let ident = placed(&bound.ident, parameter.colon);
            let (owned, value) = (parameter.form.owned(), read_argument(parameter, krate));
            let lent = match &parameter.form {
                Form::Owned(_) | Form::Cow(_) => {
                    return quote_spanned!(mixed=> let #ident: #owned = #value;);
                }
                Form::Lent(ty) => quote_spanned!(mixed=> #ident: &#ty = &__owned),
                Form::OptionLent(ty) => {
                    let inside = if is_unsized(ty) {
                        quote_spanned!(mixed=> __owned.as_deref())
                    } else if may_be_unsized(ty) {
                        lent_inside(&local("__owned"), ty, mixed, krate)
                    } else {
                        quote_spanned!(mixed=> __owned.as_ref())
                    };
                    quote_spanned!(mixed=> #ident: ::core::option::Option<&#ty> = #inside)
                }
            };
            quote_spanned!(mixed=> let __owned: #owned = #value; let #lent;)
        }
    }
}

/// What was recorded of a parameter.
fn read_argument(parameter: &RecordedParameter, krate: &CratePath) -> TokenStream {
    let (branch, name) = (local("__branch"), &parameter.wire);
    if parameter.default {
        return or_default(name, parameter.colon, krate);
    }
    moved(quote!(#branch.argument(#name)?), parameter.colon)
}

/// A name of the user's with its own hygiene, at another place: located at itself it would show up
/// there in an IDE.
fn placed(ident: &Ident, place: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(ident.span().located_at(place));
    ident
}

/// The action as plain data.
fn spec(action: &Action) -> TokenStream {
    let name = match &action.name {
        Some(name) => quote!(#name),
        None => {
            let name = name(action);
            quote_spanned!(Span::mixed_site()=> ::core::concat!(::core::module_path!(), "::", #name))
        }
    };
    spec_named(action, &name)
}

fn spec_named(action: &Action, name: &TokenStream) -> TokenStream {
    let (mixed, spec) = (Span::mixed_site(), action.krate.private("ActionSpec"));
    let line = Literal::u32_unsuffixed(action.line);
    let always_cancel = action
        .always_cancel
        .then(|| quote_spanned!(mixed=> .always_cancel()));
    quote_spanned!(mixed=> #spec::new(#name, ::core::file!(), #line) #always_cancel)
}

/// The name of the function.
fn name(action: &Action) -> String {
    action.function.sig.ident.unraw().to_string()
}
