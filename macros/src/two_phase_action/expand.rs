//! Model in, tokens out: phase one in the method's own body, and one arm of the dispatch per
//! decision.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Action, Call, Fence, From, Local, Passed, RecordedParameter, What};
use crate::hygiene::{Arrow, CratePath, at, braces, local, moved};
use crate::syntax::arguments::Conversion;
use crate::syntax::async_fn::Shape;
use crate::syntax::parameter::{SelfKind, name, recorded_name};
use crate::syntax::return_type::{converted, erased, turbofish, unreachable_return};
use crate::syntax::types::with_open_lifetime;

/// Input:
/// ```text
/// async fn debit(&self, tx: &mut FenceTx<Sqlite>, user: &str) -> Result<(), E> { STATEMENTS }
/// ```
/// Output:
/// ```text
/// async fn debit(&self, user: &str) -> Result<(), E> {
///     run_fenced(&const { SPEC }, self, &self.db, ARGUMENTS, how_fenced(), async |__lent| -> Result<(), E> {
///         UNREACHABLE RETURN let tx: &mut FenceTx<Sqlite> = __lent; { STATEMENTS }
///     }).await
/// }
/// ```
pub(crate) fn phase_one(action: &Action, fence: Option<&Fence>, krate: &CratePath) -> TokenStream {
    let mixed = Span::mixed_site();
    let fence = fence.filter(|_| action.fenced);
    // An `Arc` may be moved by the body, so the call holds one of its own.
    let (held, this, instance) = match action.self_kind {
        SelfKind::Lent => (None, action.receiver.clone(), {
            let receiver = &action.receiver;
            quote!(#receiver)
        }),
        SelfKind::Arc => {
            let (this, receiver) = (local("__this"), &action.receiver);
            let held = quote_spanned!(mixed=> ::core::clone::Clone::clone(&#receiver));
            (Some(held), this.clone(), quote_spanned!(mixed=> &*#this))
        }
    };
    let (spec, recorder) = (spec(action, krate), recorder(&action.recorded, krate));
    let how = how(
        &action.output,
        action.arrow,
        action.map_err.as_ref(),
        fence.is_some(),
        action.keeps_tried(),
        krate,
    );
    let call = match fence {
        Some(fence) => {
            let (run, body) = (krate.private("run_fenced"), body(action));
            let fence = fence.of(&this, action.self_kind, krate);
            quote_spanned!(mixed=> #run(&const { #spec }, #instance, #fence, #recorder, #how, #body).await)
        }
        None => {
            let (run, body) = (krate.private("run_unfenced"), body(action));
            quote_spanned!(mixed=> #run(&const { #spec }, #instance, #recorder, #how, #body).await)
        }
    };
    // Not a `let`: with one, lints say that what is awaited at the end is dropped in another order
    // in another edition.
    let content = match held {
        Some(held) => quote_spanned!(mixed=> match #held { #this => #call }),
        None => call,
    };
    let content = match &action.shape {
        Shape::Block(block) => block.around(content),
        _ => content,
    };
    let allow = allow_unused(&action.recorded);
    let method = action.method.with_body(content);
    quote!(#allow #method)
}

/// Recording a parameter that the body does not use is no use of the user's.
pub(super) fn allow_unused(recorded: &[RecordedParameter]) -> Option<TokenStream> {
    let is_unused = |parameter: &RecordedParameter| parameter.ident.to_string().starts_with('_');
    recorded
        .iter()
        .any(is_unused)
        .then(|| quote_spanned!(Span::mixed_site()=> #[allow(clippy::used_underscore_binding)]))
}

/// The action as plain data.
pub(crate) fn spec(action: &Action, krate: &CratePath) -> TokenStream {
    let (spec, name) = (krate.private("ActionSpec"), &action.name);
    let line = Literal::u32_unsuffixed(action.line);
    let aliases = (!action.aliases.is_empty()).then(|| {
        let aliases = &action.aliases;
        quote_spanned!(Span::mixed_site()=> .aliases(&[#(#aliases),*]))
    });
    let always_cancel = action
        .always_cancel
        .then(|| quote_spanned!(Span::mixed_site()=> .always_cancel()));
    quote_spanned! {Span::mixed_site()=>
        #spec::new(#name, ::core::file!(), #line) #aliases #always_cancel
    }
}

/// Every recorded parameter under its name, before anything is moved.
pub(super) fn recorder(recorded: &[RecordedParameter], krate: &CratePath) -> TokenStream {
    let record = krate.private("record");
    let puts = recorded.iter().map(
        |RecordedParameter {
             ident,
             colon,
             wire: name,
             ..
         }| {
            let lent = quote_spanned!(at(*colon)=> &);
            quote_spanned!(Span::mixed_site()=> .put(#name, #lent #ident))
        },
    );
    quote_spanned!(Span::mixed_site()=> #record() #(#puts)*)
}

/// The witness of the return type: what a missing bound is reported about, once, at the `->`.
pub(super) fn how(
    output: &syn::Type,
    arrow: Arrow,
    map_err: Option<&Conversion>,
    fenced: bool,
    keeps_tried: bool,
    krate: &CratePath,
) -> TokenStream {
    let name = match (fenced, keeps_tried) {
        (true, _) => "how_fenced",
        (false, true) => "how_tried",
        (false, false) => "how",
    };
    let Some(convert) = map_err else {
        return krate.call_under(name, arrow, None, TokenStream::new());
    };
    // With the type, an error of another one is reported at the conversion.
    let (of, convert) = (turbofish(output), converted(convert));
    krate.call_under(&format!("{name}_mapped"), arrow, Some(of), convert)
}

/// The body as an async closure, behind a fence over its transaction. The closure's parameter has no
/// type: a `tx` of the wrong one is reported once, where the user wrote it.
///
/// What is recorded was lent before, so a block that it moves into would hold it a second time.
fn body(action: &Action) -> TokenStream {
    let mixed = Span::mixed_site();
    let (lent, output) = (local("__lent"), erased(&action.output));
    let edge = unreachable_return(&action.output);
    let statements = statements(action);
    let tx = action.tx.as_ref().map(|tx| transaction(tx, &lent));
    let given = action.tx.as_ref().map(|_| &lent);
    // What outlives the transaction is reported at the user's body.
    let body = braces(quote!(#edge #tx #statements), at(action.body.braces));
    quote_spanned!(mixed=> async |#given| -> #output #body)
}

/// `let tx: &mut FenceTx<Sqlite> = __lent;`
pub(super) fn transaction(tx: &syn::PatType, lent: &proc_macro2::Ident) -> TokenStream {
    let mixed = Span::mixed_site();
    let (attrs, pat, colon) = (&tx.attrs, &tx.pat, &tx.colon_token);
    let ty = with_open_lifetime((*tx.ty).clone());
    let start = first_span(&ty);
    let value = moved(quote!(#lent), start);
    // It is there although the body does not use it.
    let allow = starts_with_underscore(tx)
        .then(|| quote_spanned!(mixed=> #[allow(clippy::no_effect_underscore_binding)]));
    quote_spanned!(mixed=> #(#attrs)* #allow let #pat #colon #ty = #value;)
}

fn starts_with_underscore(parameter: &syn::PatType) -> bool {
    name(parameter).is_some_and(|name| name.to_string().starts_with('_'))
}

/// Where the `&` of `&mut FenceTx<..>` stands.
fn first_span(ty: &syn::Type) -> Span {
    match crate::syntax::types::peeled(ty) {
        syn::Type::Reference(reference) => reference.and_token.span,
        _ => Span::mixed_site(),
    }
}

fn statements(action: &Action) -> TokenStream {
    match &action.shape {
        Shape::Block(block) => block.body.block(),
        _ => action.body.block(),
    }
}

/// The arms of the dispatch that end branches of this action.
pub(crate) fn arms(
    action: &Action,
    this: &proc_macro2::Ident,
    fence: Option<&Fence>,
    krate: &CratePath,
) -> TokenStream {
    let decision = krate.private("Decision");
    let fence = fence.filter(|_| action.fenced);
    let names: Vec<_> = [&action.name].into_iter().chain(&action.aliases).collect();
    let cfgs: Vec<_> = action.cfgs().collect();
    let phase_two = PhaseTwo {
        action,
        this,
        fence,
        krate,
    };
    if let Some(future) = phase_two.either() {
        let decided = local("__decision");
        return quote_spanned! {Span::mixed_site()=>
            #(#cfgs)* (#(#names)|*, #decided) => #future,
        };
    }
    let arms = [("Commit", &action.commit), ("Rollback", &action.rollback)].map(|(word, call)| {
        let word = local(word);
        let future = match call {
            Some(call) => phase_two.alone(call),
            None => nothing(),
        };
        quote_spanned! {Span::mixed_site()=>
            #(#cfgs)*
            (#(#names)|*, #decision::#word) => #future,
        }
    });
    arms.into_iter().collect()
}

/// Nobody is called: the branch ends.
fn nothing() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        ::std::boxed::Box::pin(::core::future::ready(::core::result::Result::Ok(())))
    }
}

/// What the futures of an action's phase two are made of.
struct PhaseTwo<'a> {
    action: &'a Action,
    this: &'a proc_macro2::Ident,
    fence: Option<&'a Fence>,
    krate: &'a CratePath,
}

impl PhaseTwo<'_> {
    /// Calls the one partner.
    fn alone(&self, call: &Call) -> TokenStream {
        let (reads, transaction) = (self.reads(call, |_| true), self.transaction(call));
        let called = self.called(call);
        let body = quote!(#reads #transaction #called);
        pinned(&body, [call.equals; 2])
    }

    /// Calls one of the two, if both take some of the same: one future, which reads that once, keeps
    /// `cargo check` fast.
    fn either(&self) -> Option<TokenStream> {
        let calls = [self.action.commit.as_ref()?, self.action.rollback.as_ref()?];
        let [commit, rollback] = calls;
        let is_shared = |of: &Call, passed: &Passed| of.passed.iter().any(|one| same(one, passed));
        let shared = self.reads(commit, |passed| is_shared(rollback, passed));
        let alone = [
            self.reads(commit, |passed| !is_shared(rollback, passed)),
            self.reads(rollback, |passed| !is_shared(commit, passed)),
        ];
        // While the transaction is lent out, nothing can be read.
        let lent_first = alone.iter().all(TokenStream::is_empty) && calls.into_iter().all(takes_tx);
        if shared.is_empty() && !lent_first {
            return None;
        }
        let transaction = lent_first.then(|| self.transaction(commit));
        let (decided, decision) = (local("__decision"), self.krate.private("Decision"));
        let words = ["Commit", "Rollback"].map(local);
        let arms = calls.into_iter().zip(alone).zip(words);
        let arms = arms.map(|((call, reads), word)| {
            let transaction = (!lent_first).then(|| self.transaction(call));
            let called = self.called(call);
            quote_spanned!(Span::mixed_site()=> #decision::#word => { #reads #transaction #called })
        });
        let body =
            quote_spanned!(Span::mixed_site()=> #shared #transaction match #decided { #(#arms)* });
        Some(pinned(&body, [commit.equals, rollback.equals]))
    }

    /// The statements that read what the partner takes.
    fn reads(&self, call: &Call, wanted: impl Fn(&Passed) -> bool) -> TokenStream {
        let passed = call.passed.iter().filter(|passed| wanted(passed));
        passed
            .filter_map(|passed| read(self.action, passed, self.krate))
            .collect()
    }

    /// The statement after all others that lends out the transaction, if the partner takes it.
    fn transaction(&self, call: &Call) -> Option<TokenStream> {
        takes_tx(call).then(|| {
            let (tx, branch) = (local("__tx"), local("__branch"));
            let fence = self
                .fence
                .map(|fence| fence.of(self.this, SelfKind::Arc, self.krate));
            quote_spanned!(Span::mixed_site()=> let #tx = #fence.transaction(#branch)?;)
        })
    }

    /// The call of the partner and its answer.
    fn called(&self, call: &Call) -> TokenStream {
        let (mixed, this) = (Span::mixed_site(), self.this);
        let values = call.passed.iter().map(|passed| value(passed, self.krate));
        let instance = match call.self_kind {
            SelfKind::Lent => quote_spanned!(mixed=> &#this),
            SelfKind::Arc => quote_spanned!(mixed=> #this),
        };
        let (partner, answer) = (&call.partner, local("__answer"));
        let awaited = quote_spanned!(at(call.equals)=> .await);
        let ended = {
            let mut answer = answer.clone();
            answer.set_span(call.arrow.end());
            self.krate
                .call_under("ended", call.arrow, None, quote!(#answer))
        };
        quote_spanned! {mixed=>
            let #answer = Self::#partner(#instance #(, #values)*) #awaited;
            #ended
        }
    }
}

/// A boxed future. One that is not `Send` is reported where the action names its partners, from the
/// first of these places to the last; in which of two it is, a note shows by the `.await`.
pub(super) fn pinned(body: &TokenStream, [first, last]: [Span; 2]) -> TokenStream {
    let future = quote_spanned!(at(first)=> async move { #body });
    let mut future = Group::new(Delimiter::Parenthesis, future);
    future.set_span(at(last));
    quote_spanned!(at(first)=> ::std::boxed::Box::pin #future)
}

fn takes_tx(call: &Call) -> bool {
    let mut passed = call.passed.iter();
    passed.any(|passed| matches!(passed.what, What::Tx))
}

/// Whether both are the same recorded parameter, read and named alike.
fn same(one: &Passed, other: &Passed) -> bool {
    match (&one.what, &other.what) {
        (What::Read(one), What::Read(other)) => {
            matches!((&one.local, &other.local), (Local::Of(one), Local::Of(other)) if one == other)
                && one.from == other.from
        }
        _ => false,
    }
}

/// The statement that reads one argument.
fn read(action: &Action, passed: &Passed, krate: &CratePath) -> Option<TokenStream> {
    let mixed = Span::mixed_site();
    let branch = local("__branch");
    match &passed.what {
        What::Tx => None,
        What::Context => {
            let context = local("__context");
            Some(quote_spanned!(mixed=> let #context = #branch.context();))
        }
        What::Tried { optional, .. } => {
            let how = how(
                &action.output,
                action.arrow,
                action.map_err.as_ref(),
                action.fenced,
                true,
                krate,
            );
            Some(tried(&action.output, *optional, passed.colon, &how, krate))
        }
        What::Read(read) => {
            let (name, value) = (&read.wire, read_local(&read.local, read.colon));
            let (owned, place) = (read.form.owned(), at(read.colon));
            let method = match read.from {
                From::Arguments => "argument",
                From::ArgumentsOrDefault => {
                    let found = or_default(name, read.colon, krate);
                    return Some(quote_spanned!(mixed=> let #value: #owned = #found;));
                }
                From::Kept => "kept_or_missing",
                From::KeptOrNot => "kept",
            };
            let mut method = local(method);
            method.set_span(place);
            let found = quote_spanned!(place=> #branch.#method(#name)?);
            Some(quote_spanned!(mixed=> let #value: #owned = #found;))
        }
    }
}

/// A recorded value, or its type's default.
pub(super) fn or_default(name: &str, colon: Span, krate: &CratePath) -> TokenStream {
    let (read, branch) = (
        krate.private_at("argument_or_default", colon),
        local("__branch"),
    );
    quote_spanned!(at(colon)=> #read(#branch, #name)?)
}

/// Reads what phase one returned, by the witness of phase one: a value that cannot be stored is
/// reported at its `->` in the same words, and so once.
pub(super) fn tried(
    output: &syn::Type,
    optional: bool,
    place: Span,
    how: &TokenStream,
    krate: &CratePath,
) -> TokenStream {
    let (tried, branch) = (local("__tried"), local("__branch"));
    let read = krate.private_at(
        if optional {
            "tried"
        } else {
            "tried_or_missing"
        },
        place,
    );
    let of = turbofish(output);
    quote_spanned!(at(place)=> let #tried = #read #of(#branch, #how)?;)
}

/// The local that holds a value in phase two: named as the user's, but ours. A name that looks like
/// ours is given another, and so is what only the partner names.
fn read_local(of: &Local, place: Span) -> proc_macro2::Ident {
    let mut ident = match of {
        Local::Of(ident) if recorded_name(ident).starts_with("__") => {
            local(&format!("__argument{}", recorded_name(ident)))
        }
        Local::Of(ident) => ident.clone(),
        Local::OfPartner(ident) => local(&format!("__read_{}", recorded_name(ident))),
    };
    ident.set_span(at(place));
    ident
}

/// What is passed for a partner's parameter, at the place of that parameter.
fn value(passed: &Passed, krate: &CratePath) -> TokenStream {
    let place = at(passed.colon);
    let name = |word: &str| {
        let mut ident = local(word);
        ident.set_span(place);
        ident
    };
    match &passed.what {
        What::Tx => {
            let tx = name("__tx");
            quote!(#tx)
        }
        What::Context => {
            let context = name("__context");
            quote_spanned!(place=> &#context)
        }
        What::Tried {
            optional: false, ..
        } => {
            let tried = name("__tried");
            quote_spanned!(place=> &#tried)
        }
        What::Tried {
            optional: true,
            unsized_,
        } => {
            let (tried, lend) = (
                name("__tried"),
                name(if *unsized_ { "as_deref" } else { "as_ref" }),
            );
            quote_spanned!(place=> #tried.#lend())
        }
        What::Read(read) => read.handed(&read_local(&read.local, passed.colon), place, krate),
    }
}
