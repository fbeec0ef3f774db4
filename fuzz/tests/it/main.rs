//! The fuzz targets, one module each.

mod access_token;
mod config_normalisation;
mod cookie_header;
mod front_token;
mod refresh_token;
