//! The frameworks.

/// A framework by the name that the program knows it by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framework(pub(crate) &'static str);

/// Declares the named functions as tests, once for each framework.
macro_rules! on_every_framework {
    ($($test:ident,)*) => {
        $crate::framework::on_every_framework! { @axum: $($test,)* }
        $crate::framework::on_every_framework! { @actix: $($test,)* }
        $crate::framework::on_every_framework! { @rocket: $($test,)* }
        $crate::framework::on_every_framework! { @warp: $($test,)* }
    };
    (@$framework:ident: $($test:ident,)*) => {
        mod $framework {
            $(
                #[tokio::test]
                async fn $test() {
                    let framework = $crate::framework::Framework(stringify!($framework));
                    super::$test(framework).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_framework;
