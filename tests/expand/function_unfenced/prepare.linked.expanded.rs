#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "prepare",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(prepare),
            "prepare",
        )
        .needs(&[::unanimous::__private::Need::of::<Arc<Journal>>()])
        .commit(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Arc<Journal> = __states.get();
            let to: String = __branch.argument("to")?;
            let __answer = send(journal, to).await;
            ::unanimous::__private::ended(__answer)
        }))
        .rollback(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Arc<Journal> = __states.get();
            let to: String = __branch.argument("to")?;
            let __tried = ::unanimous::__private::tried::<
                Result<u32, Failure>,
            >(__branch, ::unanimous::__private::how_tried())?;
            let tried = __tried.as_ref();
            let __answer = discard(journal, to, tried).await;
            ::unanimous::__private::ended(__answer)
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
