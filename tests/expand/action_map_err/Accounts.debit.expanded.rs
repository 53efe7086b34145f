impl Accounts {
    async fn debit(&self, amount: u8) -> Result<u8, String> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("amount", &amount),
                ::unanimous::__private::how_fenced_mapped::<
                    Result<u8, String>,
                >(|__error| ::core::result::Result::Err(text(__error))),
                async |__lent| -> Result<u8, String> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, String> = loop {};
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
