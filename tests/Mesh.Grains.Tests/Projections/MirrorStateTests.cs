using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Projections;
using Mesh.Grains.Services;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Projections;

public class MirrorStateTests
{
    private static readonly NamespacedName Name = NamespacedName.Of("default", "web");
    private static readonly StoredObject Stored = new(Kinds.Service(Name), "uid-web", 7, 1, false, Encoding.UTF8.GetBytes(Some.Service(Name)));
    private static readonly Service Service = ServiceParser.Parse(Stored.Document, 1);
    private static readonly Mirrored Mirror = new(Service, Stored, []);

    [Fact]
    public void The_content_is_another_with_whatever_a_mirror_shows_and_the_same_in_any_order()
    {
        var (a, b) = (Row("a"), Row("b"));
        var all = Content(a, b);
        Assert.Equal(all, Content(b, a));
        Assert.Equal(all, Content(a with { Order = a.Order with { Liveness = 99 } }, b));
        EndpointRow[] others =
        [
            a with { PodName = "c" },
            a with { Order = a.Order with { Uid = "other" } },
            a with { Address = IPAddress.Parse("127.80.0.9") },
            a with { Address = IPAddress.IPv6Loopback },
            a with { NodeName = "other" },
            a with { NodeName = "zoned" },
            a with { IsReady = !a.IsReady },
            a with { IsServing = !a.IsServing },
            a with { IsTerminating = !a.IsTerminating },
            a with { Ports = [] },
            a with { Ports = [a.Ports[0] with { Number = 1 }] },
            a with { Ports = [a.Ports[0] with { Name = "other" }] },
            a with { Ports = [a.Ports[0] with { Protocol = 77 }] },
        ];
        var contents = others.Select(other => Content(other, b)).Append(Content(b)).Append(Content(a)).Append(Content()).Append(all).ToArray();
        Assert.Equal(contents.Length, contents.Distinct().Count());
    }

    [Fact]
    public void The_versions_after_a_commit_are_those_that_are_read_after_it_and_what_others_write_moves_them()
    {
        StoredObject first = Slice("web-1", 10), second = Slice("web-2", 12), endpoints = Endpoints(11);
        var before = MirrorVersions.Of(Mirror, [first, second], endpoints);
        StoredObject changed = Slice("web-1", 20), added = Slice("web-3", 21), shown = Endpoints(22);

        var after = before.After(first, changed).After(second, null).After(null, added).After(endpoints, shown);

        Assert.Equal(MirrorVersions.Of(Mirror, [changed, added], shown), after);
        Assert.NotEqual(after, MirrorVersions.Of(Mirror, [changed, Slice("web-3", 23)], shown));
        Assert.NotEqual(after, MirrorVersions.Of(Mirror, [changed], shown));
        Assert.NotEqual(after, MirrorVersions.Of(Mirror, [changed, added], null));
        Assert.NotEqual(after, MirrorVersions.Of(Mirror with { Object = Stored with { ResourceVersion = 8 } }, [changed, added], shown));
        Assert.NotEqual(after, MirrorVersions.Of(Mirror with { Service = Service with { ResourceVersion = 2 } }, [changed, added], shown)); // the rows are another selector's
    }

    private static EndpointRow Row(string pod) => EndpointSource.RowOf(Service, Some.Row(pod, 1, 1)) with { NodeName = "n", Ports = [new PodPort("http", 0, 8080)] };

    private static ulong Content(params EndpointRow[] rows) => MirrorState.ContentOf(new Mirrored(Service, Stored, rows), node => node == "zoned" ? "z" : null);

    private static StoredObject Slice(string name, long version) => new(Kinds.EndpointSlice(NamespacedName.Of("default", name)), name, version, 1, false, "{}"u8.ToArray());

    private static StoredObject Endpoints(long version) => new(Kinds.Endpoints(Name), "uid-e", version, 1, false, "{}"u8.ToArray());
}
