//! The examples: the same application on each framework.

/// An example.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Example {
    Axum,
    Actix,
    Rocket,
    Warp,
}

impl Example {
    /// Its program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Axum => env!("CARGO_BIN_EXE_e2e-axum"),
            Self::Actix => env!("CARGO_BIN_EXE_e2e-actix"),
            Self::Rocket => env!("CARGO_BIN_EXE_e2e-rocket"),
            Self::Warp => env!("CARGO_BIN_EXE_e2e-warp"),
        }
    }

    /// What the framework itself says to a parameter in the path that is not UTF-8.
    pub(crate) fn status_of_a_path_that_is_no_text(self) -> u16 {
        match self {
            Self::Axum => 400,
            // These take it for some other text.
            Self::Actix | Self::Rocket | Self::Warp => 404,
        }
    }

    /// What the framework itself says to a body without a type, and to one that lacks a field.
    pub(crate) fn statuses_of_unreadable_bodies(self) -> [u16; 2] {
        match self {
            Self::Axum | Self::Actix => [415, 422],
            Self::Rocket => [400, 422],
            Self::Warp => [400, 400],
        }
    }
}

/// Declares the named functions as tests, once for each example.
macro_rules! on_every_example {
    ($($test:ident,)*) => {
        $crate::example::on_every_example! { @axum Axum: $($test,)* }
        $crate::example::on_every_example! { @actix Actix: $($test,)* }
        $crate::example::on_every_example! { @rocket Rocket: $($test,)* }
        $crate::example::on_every_example! { @warp Warp: $($test,)* }
    };
    (@$module:ident $example:ident: $($test:ident,)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test($crate::example::Example::$example).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_example;
