#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "nowhere",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(nowhere),
            "nowhere",
        )
        .partners(|__states, __branch| ::std::boxed::Box::pin(async move {
            let __decision = __branch.decision();
            match __decision {
                ::unanimous::__private::Decision::Commit => {
                    let __answer = missing().await;
                    ::unanimous::__private::ended(__answer)
                }
                ::unanimous::__private::Decision::Rollback => {
                    let __answer = missing().await;
                    ::unanimous::__private::ended(__answer)
                }
            }
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
