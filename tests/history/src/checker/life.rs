//! One session: when it was asked to end, when it had ended, and what it must not do any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Promise, Rule};
use crate::events::{Deed, Event, Reply};

/// One session, as far as it is known.
pub(super) struct Life<'a> {
    events: &'a [&'a Event],
    exchanges: Exchanges<'a>,
    /// When its end was first asked for by somebody whose wish may have come true.
    end_asked: Option<Duration>,
    /// Who was first told that it had ended, by wish.
    ended: Option<&'a Event>,
    /// The server that certainly ended it itself, and so knows.
    ended_by: Option<usize>,
    /// When somebody was first told of a theft.
    stolen: Option<Duration>,
    /// When it was first seen to be gone.
    gone: Option<Duration>,
}

/// The refreshes with each token.
type Exchanges<'a> = BTreeMap<&'a str, Vec<&'a Event>>;

impl<'a> Life<'a> {
    pub(super) fn of(events: &'a [&'a Event], of_users: &[&'a Event], promise: &Promise) -> Self {
        let user = events.iter().find_map(|event| {
            let user = event.user()?;
            Some((user, event.asked, event.answered))
        });
        // It had begun by then, or had not ended yet.
        let alive_at = (events.iter())
            .filter(|event| event.shows_life() || event.user().is_some())
            .map(|event| event.asked)
            .max();
        let came_too_early = |event: &Event| {
            let done_by = event.answered.saturating_add(promise.lingers);
            event.is_unknown() && alive_at.is_some_and(|alive_at| done_by < alive_at)
        };
        let of_this_user = of_users.iter().copied().filter(move |event| {
            // What was done before this one began concerned others; what was given up may still be
            // done later.
            user.is_some_and(|(user, began, _)| {
                event.deed == Deed::EndAll(user.clone())
                    && (event.answered > began || event.is_unknown())
            })
        });
        let wishes = (events.iter().copied())
            .filter(|event| matches!(event.deed, Deed::End | Deed::SignOut))
            .chain(of_this_user);
        // A refused wish ends nothing.
        let may_end = (wishes.clone()).filter(|event| {
            !matches!(event.reply, Reply::Gone | Reply::Stale) && !came_too_early(event)
        });
        // All of a user's sessions are those that there were when it was asked.
        let is_of_this = move |event: &&Event| {
            !matches!(event.deed, Deed::EndAll(_))
                || user.is_some_and(|(_, _, begun)| begun < event.asked)
        };
        let ended = wishes
            .filter(|event| event.reply == Reply::Done)
            .filter(is_of_this);
        let ended = ended.min_by_key(|event| event.answered);
        let told = |is_such: fn(&Event) -> bool| {
            let such = events.iter().filter(move |event| is_such(event));
            such.map(|event| event.answered).min()
        };
        let mut exchanges = Exchanges::new();
        for event in events {
            if let Some(presented) = event.presented() {
                exchanges.entry(presented).or_default().push(event);
            }
        }
        // Or so it may have been found, by somebody who was not told.
        let thefts = (events.iter())
            .filter(|event| {
                event.reply == Reply::Theft
                    || event.is_unknown()
                        && !came_too_early(event)
                        && may_be_stolen(&exchanges, event, promise)
            })
            .copied();
        let may_end = may_end.chain(thefts);
        let end_asked = may_end.clone().map(|event| event.asked).min();
        // Who signs out or ends all is told so whether or not there was one left to end.
        let by_another = |ended: &Event| {
            may_end
                .clone()
                .any(|event| event.node != ended.node && event.asked < ended.answered)
        };
        let ended_by = ended
            .filter(|ended| ended.deed == Deed::End || !by_another(ended))
            .map(|ended| ended.node);
        Self {
            events,
            exchanges,
            end_asked,
            ended,
            ended_by,
            stolen: told(|event| event.reply == Reply::Theft),
            gone: told(|event| event.reply == Reply::Gone && event.asks_for_the_session()),
        }
    }

    pub(super) fn check(&self, promise: &Promise, report: &mut impl FnMut(Rule, &Event)) {
        let mut successors = BTreeMap::<&str, &str>::new();
        for event in self.events {
            self.check_end(event, promise, report);
            match &event.reply {
                Reply::Theft if !may_be_stolen(&self.exchanges, event, promise) => {
                    report(Rule::FalseTheft, event);
                }
                Reply::Stale if !self.may_have_expired(event, promise) => {
                    report(Rule::Failed, event);
                }
                Reply::Gone if self.end_asked.is_none_or(|asked| asked > event.answered) => {
                    report(Rule::SessionLost, event);
                }
                Reply::Row(rotations) => self.check_row(event, *rotations, report),
                _ => {}
            }
            if let (Some(presented), Some(successor)) = (event.presented(), event.successor()) {
                if *successors.entry(presented).or_insert(successor) != successor {
                    report(Rule::Forked, event);
                }
                if self.is_past_grace(event, promise) {
                    report(Rule::UsedPastGrace, event);
                }
            }
        }
    }

    /// Whether the session shows life that it cannot have any more.
    fn check_end(&self, event: &Event, promise: &Promise, report: &mut impl FnMut(Rule, &Event)) {
        let is_after = |moment: Option<Duration>| moment.is_some_and(|at| at < event.asked);
        let long_after =
            |moment: Option<Duration>| is_after(moment.map(|at| at + promise.max_staleness));
        let ended = self.ended.map(|ended| ended.answered);
        if event.passes_the_blacklist() {
            let ended_here = self.ended_by == Some(event.node);
            if long_after(ended) || ended_here && is_after(ended) {
                report(Rule::Stale, event);
            } else if long_after(self.stolen) {
                report(Rule::TheftForgiven, event);
            } else if long_after(self.gone) {
                report(Rule::Half, event);
            }
        } else if event.shows_life() {
            if is_after(ended) {
                report(Rule::RevocationLost, event);
            } else if is_after(self.stolen) {
                report(Rule::TheftForgiven, event);
            } else if is_after(self.gone) {
                report(Rule::CameBack, event);
            }
        }
    }

    /// Whether somebody had certainly used the token too long ago.
    fn is_past_grace(&self, event: &Event, promise: &Promise) -> bool {
        let window = promise.grace.saturating_add(ROUNDING);
        others(&self.exchanges, event)
            .filter(|other| other.successor().is_some())
            .any(|other| other.answered.saturating_add(window) < event.asked)
    }

    /// Whether the access token that was given out last may be as old as that.
    fn may_have_expired(&self, event: &Event, promise: &Promise) -> bool {
        let given_out = (self.events.iter())
            .filter(|other| other.successor().is_some() || matches!(other.reply, Reply::Begun(_)))
            .filter(|other| other.answered <= event.asked)
            .map(|other| other.asked);
        given_out
            .max()
            .is_none_or(|at| at.saturating_add(promise.access_lifetime) <= event.answered)
    }

    fn check_row(&self, event: &Event, rotations: u64, report: &mut impl FnMut(Rule, &Event)) {
        let acknowledged: BTreeSet<&str> = (self.events.iter())
            .filter(|earlier| earlier.answered < event.asked)
            .filter_map(|earlier| earlier.successor())
            .collect();
        let presented: BTreeSet<&str> = (self.events.iter())
            .filter(|earlier| earlier.asked < event.answered)
            .filter_map(|earlier| earlier.presented())
            .collect();
        if rotations < acknowledged.len() as u64 {
            report(Rule::RefreshLost, event);
        }
        if rotations > presented.len() as u64 {
            report(Rule::RotatedByItself, event);
        }
    }
}

/// Whether somebody may have exchanged the token so long ago that using it again is theft.
fn may_be_stolen(exchanges: &Exchanges<'_>, event: &Event, promise: &Promise) -> bool {
    let window = promise.grace.saturating_sub(ROUNDING);
    others(exchanges, event)
        .filter(|other| other.successor().is_some() || other.is_unknown())
        .any(|other| other.asked.saturating_add(window) <= event.answered)
}

/// The other refreshes with the token of this one.
fn others<'a>(exchanges: &Exchanges<'a>, event: &Event) -> impl Iterator<Item = &'a Event> {
    let same = event.presented().and_then(|token| exchanges.get(token));
    let same = same.into_iter().flatten().copied();
    same.filter(move |other| *other != event)
}

/// Servers count whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(1);
