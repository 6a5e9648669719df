using CsCheck;
using Xunit;

namespace Mesh.Grains.Tests.Delivery;

public class DeliveryPropertyTests
{
    private static readonly Gen<string> Name = Gen.Int[0, 2].Select(i => "abc"[i].ToString());

    private static readonly Gen<Action<SimulatedHop>> Action = Gen.Frequency(
        (6, Gen.Select(Name, Gen.Bool, (name, ready) => (Action<SimulatedHop>)(hop => hop.Put(name, ready)))),
        (2, Name.Select(name => (Action<SimulatedHop>)(hop => hop.End(name)))),
        (6, Gen.Enum<Fault>().Select(fault => (Action<SimulatedHop>)(hop => hop.Next(fault)))),
        (1, Gen.Bool.Select(synced => (Action<SimulatedHop>)(hop => hop.RestartPublisher(synced)))),
        (1, Gen.Const((Action<SimulatedHop>)(hop => hop.RestartReceiver()))),
        (1, Gen.Const((Action<SimulatedHop>)(hop => hop.Inventory()))),
        (3, Gen.Const((Action<SimulatedHop>)(hop => hop.Step()))),
        (3, Gen.Int[1, 40].Select(quarters => (Action<SimulatedHop>)(hop => hop.Advance(TimeSpan.FromMilliseconds(250 * quarters))))));

    private static readonly Gen<(int Seed, Action<SimulatedHop>[] Actions)> Run = Gen.Select(Gen.Int, Action.Array[0, 60]);

    [Fact]
    public void Once_quiet_the_receiver_equals_the_publisher_within_one_renewal() =>
        Run.Sample(run =>
        {
            var hop = Play(run.Seed, run.Actions);
            hop.Quiet();
            Assert.True(hop.IsSynced);
            Assert.Equal(0, hop.WronglyEnded);
            Assert.Equal(
                hop.Truth.Values.Select(row => (row.Name, row.Order, row.IsReady)).Order(),
                hop.Received.Values.Select(row => (row.Name, row.Order, row.IsReady)).Order());
        }, iter: 2_000);

    [Fact]
    public void The_generator_reaches_every_fault_and_every_answer()
    {
        var seen = new SimulatedHop.Counters();
        Run.Sample(run =>
        {
            var hop = Play(run.Seed, run.Actions);
            hop.Quiet();
            seen.Changes += hop.Seen.Changes;
            seen.Gone += hop.Seen.Gone;
            seen.Resync += hop.Seen.Resync;
            seen.RenewalResync += hop.Seen.RenewalResync;
            seen.StaleActivation += hop.Seen.StaleActivation;
            foreach (var (fault, count) in hop.Seen.Faults)
            {
                seen.Faults[fault] = seen.Faults.GetValueOrDefault(fault) + count;
            }
        }, iter: 500, threads: 1);

        Assert.All(Enum.GetValues<Fault>(), fault => Assert.True(seen.Faults.GetValueOrDefault(fault) > 20, fault.ToString()));
        Assert.True(seen.Changes > 500);
        Assert.True(seen.Gone > 20);
        Assert.True(seen.Resync > 5); // about 40 come, and now and then half of them
        Assert.True(seen.RenewalResync > 20);
        Assert.True(seen.StaleActivation > 20);
    }

    private static SimulatedHop Play(int seed, Action<SimulatedHop>[] actions)
    {
        var hop = new SimulatedHop(seed);
        foreach (var action in actions)
        {
            action(hop);
        }

        return hop;
    }
}
