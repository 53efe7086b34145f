impl Storage {
    async fn take_from_shelf(&self, count: u32) -> Result<String, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "deduct",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("count", &count),
                ::unanimous::__private::how(),
                async || -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(count);
                        let context = BranchContext::current()
                            .ok_or(Failure::Business("no branch"))?;
                        Ok(context.action().to_owned())
                    }
                },
            )
            .await
    }
}
