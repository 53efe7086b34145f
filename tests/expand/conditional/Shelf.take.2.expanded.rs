impl Shelf {
    #[cfg(target_os = "none")]
    async fn take(&self, count: NoSuchType) -> Result<u32, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "take",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("count", &count),
                ::unanimous::__private::how(),
                async || -> Result<u32, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    { Ok(count.into()) }
                },
            )
            .await
    }
}
