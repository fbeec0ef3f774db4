//! How the node polls: its feed's own reading, a page at a time.

use super::{
    super::{FeedMoment, feed::Reading},
    Feed, Mistake,
    steps::{ENDS_MS, OneNode, revoked},
    world::{Poll, Question, World, moment_of, taken},
};
use crate::store::{RevocationCursor, RevokedSession};

impl OneNode {
    pub(super) fn ask(&self, world: &mut World) {
        let cursor = RevocationCursor(world.cursor.clone());
        let moment = world.clocks.moment();
        let (doubts, now_ms, reading) = self.on_feed(world, |receiver| {
            let set = &receiver.blacklist;
            let doubts = receiver.doubts();
            (doubts, set.now_ms(), Reading::begin(set, &cursor))
        });
        let next = if self.is(Mistake::SetBackIsNotReadAgain) {
            cursor
        } else {
            reading.next
        };
        world.poll = Poll::Asked(Question {
            moment,
            doubts,
            from_the_start: reading.from_the_start.map(taken),
            next: next.0,
            now_ms,
        });
    }

    pub(super) fn read_page(world: &mut World) {
        if let Poll::Asked(question) = std::mem::replace(&mut world.poll, Poll::None) {
            let page = (world.list).page(&question.next, question.now_ms, ENDS_MS);
            world.poll = Poll::Answered(question, page);
        }
    }

    pub(super) fn take_page(&self, world: &mut World) {
        let Poll::Answered(question, page) = std::mem::replace(&mut world.poll, Poll::None) else {
            return;
        };
        let known: Vec<RevokedSession> = page.revoked.into_iter().map(revoked).collect();
        self.on_feed(world, |receiver| receiver.revoked(&known));
        let mut question = Question {
            next: page.next,
            now_ms: self.on_set(world, |set| set.now_ms()),
            ..question
        };
        if self.is(Mistake::CursorMovesThoughTheReadingFails) {
            world.cursor.clone_from(&question.next);
        }
        if page.more && !self.is(Mistake::FirstPageIsEnough) {
            world.poll = Poll::Asked(question);
            return;
        }
        if self.is(Mistake::SetBackIsSettledTooSoon) {
            let was_set_back = self.on_set(world, |set| set.expiry.was_set_back());
            question.from_the_start = was_set_back.then(|| world.clocks.moment());
        }
        self.finish(world, question);
    }

    fn finish(&self, world: &mut World, question: Question) {
        world.has_read_again |= question.from_the_start.is_some();
        let reading = Reading {
            next: RevocationCursor(question.next),
            from_the_start: question.from_the_start.map(moment_of),
        };
        let mut cursor = RevocationCursor(std::mem::take(&mut world.cursor));
        let feed = self.bounds.feed;
        let of_the_answer = self.is(Mistake::MomentIsOfTheAnswer);
        let too_soon = self.is(Mistake::DoubtIsSettledTooSoon);
        self.on_feed(world, |receiver| {
            reading.end(&receiver.blacklist, &mut cursor);
            match feed {
                Feed::Polling if of_the_answer => receiver.complete_as_of(receiver.moment()),
                Feed::Polling => receiver.complete_as_of(FeedMoment(moment_of(question.moment))),
                Feed::InProcess if too_soon => {
                    receiver.complete_unless_doubted_since(receiver.doubts());
                }
                Feed::InProcess => receiver.complete_unless_doubted_since(question.doubts),
            }
        });
        world.cursor = cursor.0;
    }
}
