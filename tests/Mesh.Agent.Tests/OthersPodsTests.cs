using Mesh.Agent.Http;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Users of <c>--register-uids</c> beside each other.</summary>
[Trait("Row", "R-S5")]
public sealed class OthersPodsTests
{
    // Nobody that a test runs as: the node's own user may do all of it.
    private const uint Owner = 4_000_000_001;
    private const uint Other = 4_000_000_002;

    private static readonly NamespacedName Name = NamespacedName.Of("default", "web");
    private static readonly RegistrationPatch Patch = RegistrationParser.ReadPatch("""{"ready":true}"""u8.ToArray());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(Owner, 0)]
    [InlineData(0u, 0)]
    [InlineData(Other, 403)]
    public async Task A_Pod_is_changed_taken_over_and_deleted_by_its_own_user_and_by_those_who_may_all(uint user, int code)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        var uid = await RegisterAsync(agent, Owner);

        Assert.Equal(code, (await agent.Agent.Pods.PatchAsync(Name, Patch, null, user, Stop))?.Code ?? 0);
        Assert.Equal(code, (await agent.Agent.Pods.RegisterAsync(Name, new Registration(), uid, null, user, Stop)).Refused?.Code ?? 0);
        Assert.Equal(code, (await agent.Agent.Pods.DeleteAsync(Name, null, user)).Refused?.Code ?? 0);
        Assert.Equal(code != 0, agent.Agent.Table.Show(Name) is not null);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_restart_of_the_node_changes_nothing_of_it_and_what_an_earlier_build_journaled_is_anybodys()
    {
        NodeLink.Wire.Registration record;
        await using (var first = await AgentUnderTest.StartAsync(Stop))
        {
            record = first.Journal[await RegisterAsync(first, Owner)];
        }

        await using (var next = await AgentUnderTest.StartAsync(Stop, journal: [record], identity: new AgentIdentity(2, "boot")))
        {
            // Its stream is awaited: nor is its name another's.
            Assert.Equal(403, (await next.Agent.Pods.RegisterAsync(Name, new Registration { Ready = false }, null, null, Other, Stop)).Refused?.Code);
        }

        record.ClearUser();
        await using var old = await AgentUnderTest.StartAsync(Stop, journal: [record], identity: new AgentIdentity(3, "boot"));
        Assert.Null(await old.Agent.Pods.PatchAsync(Name, Patch, null, Other, Stop));
    }

    private static async Task<string> RegisterAsync(AgentUnderTest agent, uint user)
    {
        Assert.False(PeerUid.IsFree(user));
        var (refused, pod, _) = await agent.Agent.Pods.RegisterAsync(Name, new Registration(), null, null, user, Stop);
        Assert.Null(refused);
        return pod!.Uid;
    }
}
