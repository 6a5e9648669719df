using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.NodeLink.Journal;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeLink.Tests.Journal;

/// <summary>What the tests of the journal have it keep.</summary>
internal static class SomeChanges
{
    public static NodeJournal Open(string path) => NodeJournal.Open(path, "boot", WatchedLoops.Unwatched(), TestClock.Machine, NullLogger<NodeJournal>.Instance);

    public static NamespacedName Name(string name) => NamespacedName.Of("default", name);

    public static RoutingChange.ServiceSpec Spec(string name) => new(Document(name, "u-" + name, 1), null);

    public static ObjectDocument Document(string name, string uid, long version) =>
        new(Name(name), uid, version, 1, Encoding.UTF8.GetBytes($$"""{"metadata":{"name":"{{name}}"},"v":{{version}}}"""));

    public static Endpoint Row((int Pod, int Spec, int Liveness, bool Ended) row) => new()
    {
        Pod = Name($"p{row.Pod}"),
        Order = new RowOrder("u", 1, row.Spec, (ulong)row.Liveness),
        Address = IPAddress.Loopback,
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, 8080)],
        Ready = !row.Ended,
        Ended = row.Ended,
    };
}
