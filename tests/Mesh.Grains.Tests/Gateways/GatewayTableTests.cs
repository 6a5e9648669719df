using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Gateways;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing;
using Mesh.Testing.Certificates;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

/// <summary>A Service's frontend and the endpoints computed from the same spec are told together.</summary>
public sealed class GatewayTableTests : IAsyncDisposable
{
    private static readonly NamespacedName Web = NamespacedName.Of("default", "web");
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly SemaphoreSlim _gate = new(64);
    private readonly List<ServiceFeed> _feeds = [];
    private readonly GatewayTable _table;
    private Answers _answers = new(new TaskCompletionSource<Delta<EndpointRow>>());

    public GatewayTableTests() => _table = new GatewayTable("n1", _time);

    public async ValueTask DisposeAsync()
    {
        foreach (var feed in _feeds)
        {
            await feed.Endpoints!.DisposeAsync();
        }

        _gate.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_frontend_waits_for_the_endpoints_of_its_spec_and_both_are_told_at_once()
    {
        var feed = Put(5);
        Assert.Empty(Told());
        Assert.Equal(Second, _table.UntilRelease());
        await AnswerAsync(feed, 5, "a");
        var told = Assert.IsType<RoutingChange.ServiceSpec>(Assert.Single(Told()));
        Assert.Equal((5, 5, 1), (told.Object.ResourceVersion, told.Endpoints!.SpecVersion, told.Endpoints.Rows.Length));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_frontend_whose_endpoints_are_missing_is_told_alone_after_a_second()
    {
        var feed = Put(5);
        _time.Advance(Second - TimeSpan.FromMilliseconds(1));
        Assert.Empty(Told());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(Assert.IsType<RoutingChange.ServiceSpec>(Assert.Single(Told())).Endpoints);
        await AnswerAsync(feed, 5, "a");
        Assert.Single(Assert.IsType<RoutingChange.ServiceEndpoints>(Assert.Single(Told())).Endpoints.Rows);
    }

    [Fact(Timeout = 60_000)]
    public async Task Endpoints_that_overtake_their_spec_wait_for_it()
    {
        var feed = Put(5);
        await AnswerAsync(feed, 5, "a");
        Assert.Single(Told());
        Assert.Equal(DeliveryAck.Ok, feed.Endpoints!.OnDelta(_answers.Delta(7, from: 1, "b")));
        Assert.Empty(Told());
        Put(7);
        var told = Assert.IsType<RoutingChange.ServiceSpec>(Assert.Single(Told()));
        Assert.Equal((7, 7, "b"), (told.Object.ResourceVersion, told.Endpoints!.SpecVersion, Assert.Single(told.Endpoints.Rows).Pod.Name));
    }

    [Fact(Timeout = 60_000)]
    public async Task Specs_are_told_in_the_order_of_their_versions()
    {
        var feed = Put(5);
        Assert.Null(_table.Put(Stored(Kinds.Namespace("later"), 6, """{"kind":"Namespace"}""")));
        Assert.Empty(Told()); // the older spec still waits for its endpoints
        await AnswerAsync(feed, 5, "a");
        Assert.Collection(
            Told(),
            first => Assert.IsType<RoutingChange.ServiceSpec>(first),
            second => Assert.IsType<RoutingChange.NamespaceExists>(second));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D13")]
    public async Task What_changes_again_before_it_is_told_goes_behind_what_changed_between()
    {
        var feed = Put(1);
        await AnswerAsync(feed, 1, "a");
        _table.Put(Namespace("a", 2));
        _table.Put(Stored(Kinds.Ingress(NamespacedName.Of("default", "shop")), 3, Shop("t")));
        _table.Release();

        _table.Put(Namespace("b", 4));
        _table.Put(Stored(Kinds.Ingress(NamespacedName.Of("default", "shop")), 5, Shop("u")));
        Assert.Equal(DeliveryAck.Ok, feed.Endpoints!.OnDelta(_answers.Delta(1, from: 1, "b"))); // waits for no spec
        _table.Put(Namespace("a", 6));
        Assert.Equal(["ServiceSpec", "Namespace b", "IngressSpec shop", "Namespace a"], Told().Select(Said));

        Put(7);
        Assert.Equal(DeliveryAck.Ok, feed.Endpoints.OnDelta(_answers.Delta(8, from: 2, "c")));
        _table.Release();
        _table.Put(Namespace("c", 8));
        Put(9);
        Assert.Equal(DeliveryAck.Ok, feed.Endpoints.OnDelta(_answers.Delta(9, from: 3, "d")));
        Assert.Equal(["Namespace c", "ServiceSpec"], Told().Select(Said));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Service_under_another_uid_is_another_feed_that_starts_without_endpoints()
    {
        var first = Put(5);
        await AnswerAsync(first, 5, "a");
        Assert.Single(Told());
        var late = _answers.Delta(5, from: 1, "b");
        var second = Put(8, "uid-2");
        Assert.NotSame(first, second);
        Assert.Same(first, Assert.Single(_table.TakeEnded()));
        Assert.Equal(DeliveryAck.Ok, first.Endpoints!.OnDelta(late)); // a late word about the old one
        Assert.Empty(Told());
        await AnswerAsync(second, 8, "c");
        var told = Assert.IsType<RoutingChange.ServiceSpec>(Assert.Single(Told()));
        Assert.Equal(("uid-2", "c"), (told.Object.Uid, Assert.Single(told.Endpoints!.Rows).Pod.Name));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_removed_made_anew_and_removed_again_before_a_word_of_it_is_sent_is_gone_at_the_node()
    {
        var node = new RoutingTable("n1");
        var feed = Put(5);
        await AnswerAsync(feed, 5, "a");
        PutIngress(6, "uid-1");
        PutPod(7, "uid-1");
        Array.ForEach([.. Told()], node.Apply);
        Assert.Single(node.Current.Services);
        Assert.Single(node.Current.Ingresses.Ingresses);

        RemoveAll(8);
        await AnswerAsync(Put(11, "uid-2"), 11, "b");
        PutIngress(12, "uid-2");
        PutPod(13, "uid-2");
        _table.Release(); // and nothing is sent
        RemoveAll(14);
        var told = Told();
        Array.ForEach([.. told], node.Apply);

        Assert.Empty(node.Current.Services);
        Assert.Empty(node.Current.Ingresses.Ingresses);
        Assert.Equal(["uid-1", "uid-2"], told.OfType<RoutingChange.PodRemoved>().Select(pod => pod.Uid));

        // A Pod that takes the name in between ends the one before; a Service or an Ingress takes its place in one step.
        PutPod(17, "uid-3");
        Told();
        _table.Remove(Stored(Kinds.Pod(Web), 18, ""));
        PutPod(19, "uid-4");
        Assert.Equal(["PodRemoved", "PodSpec"], Told().Select(Said));

        void PutIngress(long version, string uid) => _table.Put(Stored(
            Kinds.Ingress(Web), version, """{"metadata":{"name":"web","namespace":"default"},"spec":{"rules":[{"host":"a.test","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"web","port":{"number":80}}}}]}}]}}""", uid));

        void PutPod(long version, string uid) => _table.Put(Stored(Kinds.Pod(Web), version, """{"spec":{"nodeName":"n1"}}""", uid));

        void RemoveAll(long version)
        {
            foreach (var key in new[] { Kinds.Service(Web), Kinds.Ingress(Web), Kinds.Pod(Web) })
            {
                _table.Remove(Stored(key, version++, ""));
            }
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-T05")]
    public async Task A_certificate_is_told_before_the_Ingress_that_names_it_and_its_end_after()
    {
        using var authority = new TestAuthority();
        var cache = new StillCache();
        PutIngress(2, "t"); // older than its Secret
        PutSecret(3, "t");
        PutSecret(4, "u");
        var follower = new SpecFollower(cache, _table, _time, _ => { });
        await follower.CompleteAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["Certificate t", "IngressSpec shop"], Told().Select(Said));

        PutIngress(5, "u");
        await follower.CompleteAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["Certificate u", "IngressSpec shop", "CertificateRemoved t"], Told().Select(Said));

        void PutSecret(long version, string name) =>
            cache.Put(Kinds.Secret(NamespacedName.Of("default", name)), version, authority.Issue("a.test").Secret("default", name));

        void PutIngress(long version, string secret) => cache.Put(Kinds.Ingress(NamespacedName.Of("default", "shop")), version, Shop(secret));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-T05")]
    public async Task A_certificate_waits_for_no_Service_and_its_end_waits_for_what_named_it()
    {
        using var authority = new TestAuthority();
        _table.Put(Stored(Kinds.Ingress(NamespacedName.Of("default", "shop")), 1, Shop("t")));
        PutSecret(2, "t");
        PutSecret(3, "u");
        Assert.Equal(["Certificate t", "IngressSpec shop"], Told().Select(Said));

        var feed = Put(5); // waits for its endpoints
        PutSecret(6, "t");
        Assert.Equal(["Certificate t"], Told().Select(Said));

        _table.Put(Stored(Kinds.Ingress(NamespacedName.Of("default", "shop")), 7, Shop("u")));
        RemoveSecret(8, "t");
        Assert.Empty(Told());
        await AnswerAsync(feed, 5, "a");
        Assert.Equal(["ServiceSpec", "Certificate u", "IngressSpec shop", "CertificateRemoved t"], Told().Select(Said));

        Put(9);
        RemoveSecret(10, "u");
        PutSecret(11, "u");
        _time.Advance(Second);
        Assert.Equal(["Certificate u", "ServiceSpec"], Told().Select(Said)); // the one that is there again outlives the end of the one before

        void PutSecret(long version, string name) =>
            _table.Put(Stored(Kinds.Secret(NamespacedName.Of("default", name)), version, authority.Issue("a.test").Secret("default", name)));

        void RemoveSecret(long version, string name) => _table.Remove(Stored(Kinds.Secret(NamespacedName.Of("default", name)), version, ""));
    }

    private static string Shop(string secret) => $$$"""
        {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"shop","namespace":"default","uid":"shop"},
        "spec":{"tls":[{"hosts":["a.test"],"secretName":"{{{secret}}}"}],"rules":[{"host":"a.test"}]} }
        """;

    private static string Said(RoutingChange change) => change switch
    {
        RoutingChange.Certificate certificate => $"Certificate {certificate.Object.Name.Name}",
        RoutingChange.CertificateRemoved removed => $"CertificateRemoved {removed.Secret.Name}",
        RoutingChange.IngressSpec ingress => $"IngressSpec {ingress.Object.Name.Name}",
        RoutingChange.NamespaceExists ns => $"Namespace {ns.Name}",
        _ => change.GetType().Name,
    };

    private static StoredObject Namespace(string name, long version) => Stored(Kinds.Namespace(name), version, """{"kind":"Namespace"}""");

    private static StoredObject Stored(ObjectKey key, long version, string document, string uid = "uid-web") =>
        new(key, uid, version, version, false, Encoding.UTF8.GetBytes(document));

    private ServiceFeed Put(long version, string uid = "uid-web")
    {
        if (_table.Put(Stored(Kinds.Service(Web), version, Some.Service(Web, uid: uid), uid)) is not { } feed)
        {
            return _table.Find(Web)!;
        }

        _answers = new Answers(new TaskCompletionSource<Delta<EndpointRow>>(), uid);
        var settings = new SubscriptionSettings("me." + uid, _time, new Random(1), _gate, new WatchedLoops(_time).Loops, () => new TaskCompletionSource().Task, _ => { });
        feed.Endpoints = new Subscription<string, EndpointRow>(EndpointRows.Kind, _answers, settings, rows => _table.Note(feed, rows));
        feed.Endpoints.Start();
        _feeds.Add(feed);
        return feed;
    }

    /// <summary>The Service's grain answers the subscription.</summary>
    private async Task AnswerAsync(ServiceFeed feed, long specVersion, string pod)
    {
        _answers.Answer.SetResult(_answers.Delta(specVersion, from: 0, pod));
        while (!feed.HasAnswered)
        {
            await Task.Yield();
        }
    }

    private ImmutableArray<RoutingChange> Told()
    {
        _table.Release();
        return _table.Take();
    }

    private sealed class Answers(TaskCompletionSource<Delta<EndpointRow>> answer, string uid = "") : ISubscriptionTarget<EndpointRow>
    {
        private StreamName _stream = new("", 0);

        public TaskCompletionSource<Delta<EndpointRow>> Answer => answer;

        public string ObjectUid => uid;

        public Task<Delta<EndpointRow>> SubscribeAsync(StreamName stream, CancellationToken stop)
        {
            _stream = stream;
            return answer.Task.WaitAsync(stop);
        }

        public Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop) => Task.FromResult(RenewalAck.Ok);

        public Task UnsubscribeAsync(StreamName stream) => Task.CompletedTask;

        public Delta<EndpointRow> Delta(long specVersion, long from, string pod) => new(
            _stream, "publisher", from, from + 1, from == 0, true, uid, specVersion,
            [new EndpointRow(pod, new OrderMessage("uid-" + pod, specVersion, specVersion, 1), new System.Net.IPAddress([127, 0, 0, 1]), [], "n2", true, true, false, true, false)]);
    }
}
