using CsCheck;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>The table against a model that sees all messages at once, in no order.</summary>
public class RoutingTableModelTests
{
    private const string Here = "here";

    /// <summary>A message is a function of its orders, as in life; only its sender decides which parts it knows.</summary>
    private static readonly Gen<Endpoint> Message =
        Gen.Select(Gen.Int[1, 3], Gen.Long[1, 2], Gen.Long[1, 3], Gen.ULong[0, 3]).Select((pod, created, spec, liveness) =>
            Told.Row(
                "p" + pod,
                address: (byte)((pod * 8) + (created * 3) + spec),
                ready: (liveness & 1) == 1,
                spec: spec,
                liveness: liveness,
                created: created,
                node: pod == 3 ? "elsewhere" : Here,
                registered: pod == 1) with
            { Ended = spec == 2 || liveness == 2 });

    private static readonly Gen<LocalPod> Local =
        Gen.Select(Gen.Int[1, 3], Gen.Long[1, 2], Gen.ULong[0, 3]).Select((pod, created, liveness) =>
            Told.Local("p" + pod, alive: liveness != 3, ready: liveness != 1, liveness: liveness, created: created));

    private static readonly Gen<object> Any = Gen.Frequency((3, Message.Select(row => (object)row)), (1, Local.Select(pod => (object)pod)));

    [Fact]
    public void Whatever_the_order_of_messages_the_table_agrees_with_the_model() =>
        Gen.Select(Any.Array[0, 12], Gen.Int).Sample((messages, seed) =>
        {
            var route = Route(Some.Shuffled(messages, seed));
            return Seen(route.Endpoints).SequenceEqual(Seen(Model(messages)));
        });

    [Fact]
    public void The_generator_reaches_used_filtered_and_ended_rows()
    {
        var (used, filtered, ended) = (0, 0, 0);
        Any.Array[0, 12].Sample(messages =>
        {
            var rows = messages.OfType<Endpoint>().ToArray();
            var routed = Model(messages).Length;
            Interlocked.Add(ref used, routed);
            Interlocked.Add(ref filtered, rows.Any(row => row.IsRegistered && !row.Ended) && routed == 0 ? 1 : 0);
            Interlocked.Add(ref ended, rows.Any(row => row.Ended) ? 1 : 0);
        }, iter: 500);
        Assert.True(used > 20 && filtered > 3 && ended > 20, $"{used} used, {filtered} filtered, {ended} ended");
    }

    private static ServiceRoute Route(object[] messages)
    {
        var table = new RoutingTable(Here);
        table.Apply(Told.Spec());
        foreach (var message in messages)
        {
            if (message is Endpoint row)
            {
                table.Apply(Told.Rows(row));
            }
            else
            {
                table.ApplyLocal((LocalPod)message);
            }
        }

        return table.Current.Services[Told.Web];
    }

    private static Endpoint[] Model(object[] messages) =>
        [.. messages.OfType<Endpoint>().GroupBy(row => row.Pod).OrderBy(pod => pod.Key).Select(pod => Model(pod, messages)).OfType<Endpoint>()];

    private static Endpoint? Model(IEnumerable<Endpoint> messages, object[] all)
    {
        var newest = messages.Max(row => row.Order.CreatedVersion);
        var own = messages.Where(row => row.Order.CreatedVersion == newest).ToArray();
        var spec = own.MaxBy(row => (row.Order.SpecVersion, row.Order.Liveness))!;
        var liveness = own.MaxBy(row => (row.Order.Liveness, row.Order.SpecVersion))!;
        if (spec.Ended || liveness.Ended)
        {
            return null;
        }

        var agent = all.OfType<LocalPod>().Where(pod => pod.Uid == spec.Order.Uid).MaxBy(pod => pod.Liveness);
        var serving = liveness.Serving;
        if (spec.NodeName == Here)
        {
            if (spec.IsRegistered && agent is not { IsAlive: true })
            {
                return null;
            }

            serving = agent is { IsAlive: true } && agent.Liveness >= liveness.Order.Liveness ? agent.IsReady : serving;
        }

        return spec with { Order = spec.Order with { Liveness = liveness.Order.Liveness }, Serving = serving, Ready = serving };
    }

    private static IEnumerable<string> Seen(IEnumerable<Endpoint> endpoints) =>
        endpoints.Select(row => $"{row.Pod} {row.Order} {row.Address} {row.Ready} {row.Serving} {row.Terminating}");
}
