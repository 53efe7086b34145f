impl Accounts {
    async fn credit(&self, amount: u8) -> Result<u8, usize> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "credit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("amount", &amount),
                ::unanimous::__private::how_fenced_mapped::<
                    Result<u8, usize>,
                >(|__error| {
                    ::core::result::Result::Err(__error)
                        .map_err(|error| error.to_string().len())
                }),
                async |__lent| -> Result<u8, usize> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, usize> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        Ok(amount)
                    }
                },
            )
            .await
    }
}
