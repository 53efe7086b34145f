async fn by_function(probe: &Probe) -> Result<usize, String> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "by_function",
                    ),
                )
                .propagation(::unanimous::__private::Propagation::Mandatory),
            ::unanimous::__private::how_mapped::<
                Result<usize, String>,
            >(|__error| ::core::result::Result::Err(text(__error))),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<usize, String> = loop {};
                        return __returned;
                    }
                    { probe.touch("function").await.map_err(text) }
                }),
            ),
        )
        .await
}
