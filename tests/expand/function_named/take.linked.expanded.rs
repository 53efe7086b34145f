#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                "shelf.take",
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(take),
            "take",
        )
        .needs(&[::unanimous::__private::Need::of::<Journal>()])
        .rollback(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Journal = __states.get();
            let branch = &__branch.context();
            let __answer = put_back(journal, branch).await;
            ::unanimous::__private::ended(__answer)
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
