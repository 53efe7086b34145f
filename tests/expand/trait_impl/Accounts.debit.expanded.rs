impl AccountService for Accounts {
    async fn debit(&self, user: &str, amount: Self::Amount) -> Result<(), Failure> {
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
                ::unanimous::__private::record()
                    .put("user", &user)
                    .put("amount", &amount),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        assert_eq!(user, "ann");
                        if amount > self.limit() {
                            Failure::business("limit")
                        } else {
                            Ok(())
                        }
                    }
                },
            )
            .await
    }
}
