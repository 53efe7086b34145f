async fn report(lines: u32) -> Result<u32, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new("nightly report")
                .propagation(::unanimous::__private::Propagation::Never),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    {
                        assert_eq!(unanimous::xid(), None);
                        Ok(lines * 2)
                    }
                }),
            ),
        )
        .await
}
