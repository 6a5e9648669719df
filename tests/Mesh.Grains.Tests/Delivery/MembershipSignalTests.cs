using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Mesh.Grains.Delivery;
using Mesh.Testing;
using Mesh.Testing.Time;
using Xunit;

namespace Mesh.Grains.Tests.Delivery;

public sealed class MembershipSignalTests
{
    private static readonly SiloAddress One = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 2, 1);

    [Fact(Timeout = 60_000)]
    public async Task Only_another_member_or_status_is_a_change()
    {
        var membership = new Updates(Snapshot(1, (One, SiloStatus.Active)));
        using var signal = new MembershipSignal(membership, WatchedLoops.Unwatched());
        await signal.StartAsync(TestContext.Current.CancellationToken);

        var changed = signal.Changed;
        await membership.TellAsync(Snapshot(2, (One, SiloStatus.Active)));
        await membership.TellAsync(Snapshot(3, (One, SiloStatus.Active)));
        Assert.False(changed.IsCompleted); // the first update was followed before the second was taken

        await membership.TellAsync(Snapshot(4, (One, SiloStatus.Active), (Other, SiloStatus.Active)));
        await changed.WaitAsync(TestContext.Current.CancellationToken);

        changed = signal.Changed;
        await membership.TellAsync(Snapshot(5, (One, SiloStatus.Active), (Other, SiloStatus.Dead)));
        await changed.WaitAsync(TestContext.Current.CancellationToken);
        await signal.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "membership signal")]
    public async Task A_signal_whose_updates_broke_tells_what_changed_meanwhile()
    {
        var loops = new WatchedLoops();
        var membership = new Updates(Snapshot(1, (One, SiloStatus.Active)));
        using var signal = new MembershipSignal(membership, loops.Loops);
        await signal.StartAsync(TestContext.Current.CancellationToken);
        var changed = signal.Changed;

        membership.Breaks = true;
        await membership.TellAsync(Snapshot(2, (One, SiloStatus.Active)));
        await loops.EndedAsync("membership signal", TestContext.Current.CancellationToken);
        Assert.False(changed.IsCompleted);

        await membership.TellAsync(Snapshot(3, (One, SiloStatus.Active), (Other, SiloStatus.Active)));
        await changed.WaitAsync(TestContext.Current.CancellationToken);
        await signal.StopAsync(TestContext.Current.CancellationToken);
    }

    private static ClusterMembershipSnapshot Snapshot(long version, params (SiloAddress Silo, SiloStatus Status)[] members) => new(
        members.ToImmutableDictionary(member => member.Silo, member => new ClusterMember(member.Silo, member.Status, "silo")),
        new MembershipVersion(version));

    /// <summary>Hands over one update at a time: telling the next waits until the last one was followed.</summary>
    private sealed class Updates(ClusterMembershipSnapshot first) : IClusterMembershipService
    {
        private readonly Channel<ClusterMembershipSnapshot> _updates = Channel.CreateBounded<ClusterMembershipSnapshot>(1);
        private readonly Channel<bool> _followed = Channel.CreateBounded<bool>(1);

        /// <summary>After the next update there is an exception instead of another.</summary>
        public bool Breaks { get; set; }

        public ClusterMembershipSnapshot CurrentSnapshot => first;

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => ReadAsync();

        public async Task TellAsync(ClusterMembershipSnapshot snapshot)
        {
            await _updates.Writer.WriteAsync(snapshot, TestContext.Current.CancellationToken);
            await _followed.Reader.ReadAsync(TestContext.Current.CancellationToken);
        }

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);

        private async IAsyncEnumerable<ClusterMembershipSnapshot> ReadAsync([EnumeratorCancellation] CancellationToken stop = default)
        {
            await foreach (var snapshot in _updates.Reader.ReadAllAsync(stop))
            {
                yield return snapshot;
                await _followed.Writer.WriteAsync(true, stop); // asked for the next one: this one was followed
                if (Breaks)
                {
                    Breaks = false;
                    throw PlantedTime.Planted();
                }
            }
        }
    }
}
