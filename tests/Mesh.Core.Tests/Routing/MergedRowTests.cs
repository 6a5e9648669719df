using CsCheck;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

public class MergedRowTests
{
    /// <summary>What a Pod's sources say, each a function of the orders: as in life, equal orders mean equal messages.</summary>
    private sealed record Message(RowOrder Order, long ComputedFrom, bool IsEnded);

    private static readonly Gen<Message> Any =
        Gen.Select(Gen.Long[1, 2], Gen.Long[1, 3], Gen.Long[1, 2], Gen.ULong[0, 3], Gen.Bool).Select((created, spec, from, liveness, ended) =>
            new Message(new RowOrder("uid-" + created, created, spec, liveness), from, ended));

    [Fact]
    public void The_order_of_messages_does_not_matter() =>
        Gen.Select(Any.Array[1, 6], Gen.Int).Sample((messages, seed) => Merge(messages) == Merge(Some.Shuffled(messages, seed)));

    [Fact]
    public void A_message_told_again_changes_nothing() =>
        Gen.Select(Any.Array[1, 5], Gen.Int[0, 4]).Sample((messages, index) =>
        {
            var again = messages[index % messages.Length];
            return !Merge(messages).TryMerge(again, again.Order, again.IsEnded, again.ComputedFrom, out _);
        });

    [Fact]
    public void No_message_lowers_any_part() =>
        Gen.Select(Any.Array[1, 5], Any).Sample((messages, next) =>
        {
            var held = Merge(messages);
            held.TryMerge(next, next.Order, next.IsEnded, next.ComputedFrom, out var merged);
            return merged.Order.CompareIdentity(held.Order) > 0
                || (merged.Order.CompareIdentity(held.Order) == 0
                    && merged.Order.SpecVersion >= held.Order.SpecVersion
                    && merged.Order.Liveness >= held.Order.Liveness);
        });

    [Fact]
    public void The_message_that_is_newest_in_every_part_is_believed_alone() =>
        Any.Array[0, 5].Sample(messages =>
        {
            var truth = new Message(new RowOrder("uid-2", 2, 4, 4), 3, IsEnded: false);
            var merged = Merge([.. messages, truth]);
            return ReferenceEquals(merged.Spec, truth) && ReferenceEquals(merged.Liveness, truth) && !merged.IsEnded;
        });

    [Fact]
    public void The_generator_reaches_every_kind_of_merge()
    {
        var (replaced, split, same) = (0, 0, 0);
        Gen.Select(Any, Any).Sample((first, second) =>
        {
            var merged = Merge([first, second]);
            Interlocked.Add(ref replaced, second.Order.Replaces(first.Order) ? 1 : 0);
            Interlocked.Add(ref split, ReferenceEquals(merged.Spec, merged.Liveness) ? 0 : 1);
            Interlocked.Add(ref same, first == second ? 1 : 0);
        }, iter: 2_000);
        Assert.True(replaced > 20 && split > 20 && same > 0, $"{replaced} replaced, {split} split, {same} same");
    }

    [Fact]
    public void A_death_is_not_undone_by_a_later_change_of_labels()
    {
        var dead = new Message(new RowOrder("u", 1, 10, 7), 1, IsEnded: true);
        var relabelled = new Message(new RowOrder("u", 1, 12, 5), 1, IsEnded: false);
        Assert.True(Merge([dead, relabelled]).IsEnded);
    }

    [Fact]
    public void Labels_that_match_again_undo_a_tombstone_of_the_selector()
    {
        var unmatched = new Message(new RowOrder("u", 1, 12, 5), 1, IsEnded: true);
        var matched = new Message(new RowOrder("u", 1, 14, 5), 1, IsEnded: false);
        Assert.False(Merge([matched, unmatched]).IsEnded);
    }

    [Fact]
    public void A_later_object_of_the_name_owes_nothing_to_the_earlier()
    {
        var dead = new Message(new RowOrder("old", 1, 10, ulong.MaxValue), 1, IsEnded: true);
        var born = new Message(new RowOrder("new", 20, 20, 0), 1, IsEnded: false);
        Assert.Equal(born.Order, Merge([born, dead]).Order);
    }

    [Fact]
    public void The_same_Pod_computed_from_a_newer_Service_spec_wins()
    {
        var before = new Message(new RowOrder("u", 1, 10, 5), 100, IsEnded: false);
        var after = new Message(new RowOrder("u", 1, 10, 5), 101, IsEnded: true);
        Assert.True(Merge([after, before]).IsEnded);
    }

    private static MergedRow<Message> Merge(params ReadOnlySpan<Message> messages)
    {
        var merged = MergedRow.Of(messages[0], messages[0].Order, messages[0].IsEnded, messages[0].ComputedFrom);
        foreach (var message in messages[1..])
        {
            if (merged.TryMerge(message, message.Order, message.IsEnded, message.ComputedFrom, out var next))
            {
                merged = next;
            }
        }

        return merged;
    }
}
