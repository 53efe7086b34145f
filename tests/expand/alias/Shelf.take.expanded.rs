impl Shelf {
    async fn take(&self, count: u32) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                            "take",
                            ::core::file!(),
                            0,
                        )
                        .aliases(&["deduct", "remove"])
                },
                self,
                ::unanimous::__private::record().put("count", &count),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(count);
                        if count > 9 { Failure::business("too many") } else { Ok(()) }
                    }
                },
            )
            .await
    }
}
