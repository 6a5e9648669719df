using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Owner references and the three propagation policies, for kinds of every sort of writer.</summary>
public sealed class OwnerTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Owner = """{"metadata":{"name":"owner"},"spec":{"ports":[{"port":80}]}}""";

    private static readonly Dictionary<string, (string Path, string Spec)> Dependents = new()
    {
        ["services"] = ("/api/v1/namespaces/NS/services", """{"ports":[{"port":80}]}"""),
        ["pods"] = ("/api/v1/namespaces/NS/pods", """{"containers":[{"name":"a"}]}"""),
        ["configmaps"] = ("/api/v1/namespaces/NS/configmaps", "null"),
        ["secrets"] = ("/api/v1/namespaces/NS/secrets", "null"),
        ["ingresses"] = ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses", """{"rules":[{"host":"NS.example"}]}"""),
    };

    [Theory(Timeout = 60_000)]
    [InlineData("services")]
    [InlineData("pods")]
    [InlineData("ingresses")]
    [InlineData("configmaps")]
    [InlineData("secrets")]
    public async Task What_a_deleted_owner_leaves_goes_and_what_cannot_be_looked_up_stays(string kind)
    {
        var (ns, owner) = await OwnerAsync();
        var owned = await CreateAsync(ns, kind, "owned", Reference(owner));
        var foreign = await CreateAsync(ns, kind, "foreign", Reference(owner, "apps/v1", "Deployment"));
        var oldVersion = await CreateAsync(ns, kind, "old-version", Reference(owner, "v1beta1"));
        var half = await CreateAsync(ns, kind, "half", Reference(owner), Reference(await UidAsync(ns, "second"), name: "second"));

        await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services/owner");

        await UntilGoneAsync(owned);
        await UntilAsync(half, body => body!["metadata"]!["ownerReferences"]!.AsArray().Count == 1);
        var later = await CreateAsync(ns, kind, "later", Reference("no-such-uid"));
        await UntilGoneAsync(later);
        Assert.Equal(200, (await host.Http.SendAsync("GET", foreign)).Code);
        Assert.Equal(200, (await host.Http.SendAsync("GET", oldVersion)).Code);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("services")]
    [InlineData("pods")]
    [InlineData("ingresses")]
    [InlineData("configmaps")]
    [InlineData("secrets")]
    public async Task An_owner_that_is_deleted_in_the_foreground_waits_for_those_that_block_it(string kind)
    {
        var (ns, owner) = await OwnerAsync();
        var blocking = await CreateAsync(ns, kind, "blocking", Reference(owner, blocks: true), isHeld: true);
        var other = await CreateAsync(ns, kind, "other", Reference(owner));

        var deleted = await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services/owner", """{"propagationPolicy":"Foreground"}""");

        Assert.Equal((200, """["foregroundDeletion"]"""), (deleted.Code, deleted.Body!["metadata"]!["finalizers"]!.ToJsonString()));
        Assert.NotNull(deleted.Body["metadata"]!["deletionTimestamp"]);
        await UntilGoneAsync(other);
        await UntilAsync(blocking, body => body!["metadata"]!["deletionTimestamp"] is not null);
        Assert.Equal(200, (await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services/owner")).Code);

        await host.Http.SendAsync("PATCH", blocking, """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");

        await UntilGoneAsync(blocking);
        await UntilGoneAsync($"/api/v1/namespaces/{ns}/services/owner");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("services", """{"propagationPolicy":"Orphan"}""", "")]
    [InlineData("pods", null, "?propagationPolicy=Orphan")]
    [InlineData("ingresses", """{"orphanDependents":true}""", "")]
    [InlineData("configmaps", """{"propagationPolicy":"Orphan"}""", "")]
    [InlineData("secrets", null, "?orphanDependents=true")]
    public async Task Dependents_that_are_left_behind_forget_their_owner(string kind, string? body, string query)
    {
        var (ns, owner) = await OwnerAsync();
        var left = await CreateAsync(ns, kind, "left", Reference(owner, blocks: true));

        var deleted = await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services/owner{query}", body);

        Assert.Equal((200, """["orphan"]"""), (deleted.Code, deleted.Body!["metadata"]!["finalizers"]!.ToJsonString()));
        await UntilGoneAsync($"/api/v1/namespaces/{ns}/services/owner");
        var there = await host.Http.SendAsync("GET", left);
        Assert.Equal(200, there.Code);
        Assert.Null(there.Body!["metadata"]!["ownerReferences"]);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("configmaps", "ConfigMap")]
    [InlineData("secrets", "Secret")]
    public async Task An_owner_that_no_grain_owns_is_deleted_by_each_policy(string kind, string word)
    {
        var ns = await host.Http.NewNamespaceAsync();
        foreach (var (policy, finalizers) in new[]
        {
            ("Background", """["example.com/held"]"""),
            ("Foreground", """["example.com/held","foregroundDeletion"]"""),
            ("Orphan", """["example.com/held","orphan"]"""),
        })
        {
            var name = $"owner-{policy.ToLowerInvariant()}";
            var owner = await CreateAsync(ns, kind, name, [], isHeld: true);
            var owned = await CreateAsync(ns, kind, $"owned-{name}", Reference(await UidAsync(owner), kind: word, name: name, blocks: true), isHeld: true);

            var tried = await host.Http.SendAsync("DELETE", $"{owner}?propagationPolicy={policy}&dryRun=All");
            Assert.Equal(200, tried.Code);
            Assert.Null((await host.Http.SendAsync("GET", owner)).Body!["metadata"]!["deletionTimestamp"]);
            var deleted = await host.Http.SendAsync("DELETE", $"{owner}?propagationPolicy={policy}");
            Assert.Equal((200, finalizers), (deleted.Code, deleted.Body!["metadata"]!["finalizers"]!.ToJsonString()));
            Assert.NotNull(deleted.Body["metadata"]!["deletionTimestamp"]);
            await (policy switch
            {
                "Foreground" => UntilAsync(owned, body => body!["metadata"]!["deletionTimestamp"] is not null),
                "Orphan" => UntilAsync(owned, body => body!["metadata"]!["ownerReferences"] is null),
                _ => Task.CompletedTask,
            });

            await ReleaseAsync(owner, policy == "Foreground" ? """["foregroundDeletion"]""" : "null");
            if (policy == "Foreground")
            {
                Assert.Equal(200, (await host.Http.SendAsync("GET", owner)).Code);
            }

            if (policy == "Orphan")
            {
                Assert.Null((await host.Http.SendAsync("GET", owned)).Body!["metadata"]!["deletionTimestamp"]);
                await host.Http.SendAsync("DELETE", owned);
            }
            else if (policy == "Background")
            {
                await UntilGoneAsync(owner);
                await UntilAsync(owned, body => body!["metadata"]!["deletionTimestamp"] is not null);
            }

            await ReleaseAsync(owned, "null");
            await UntilGoneAsync(owned);
            await UntilGoneAsync(owner);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_chain_is_deleted_from_its_end_and_a_circle_at_once()
    {
        var (ns, owner) = await OwnerAsync();
        var middle = await CreateAsync(ns, "services", "middle", Reference(owner, blocks: true));
        var end = await CreateAsync(ns, "pods", "end", Reference(await UidAsync(middle), name: "middle", blocks: true));
        var first = await CreateAsync(ns, "services", "first");
        var second = await CreateAsync(ns, "services", "second-of-circle", Reference(await UidAsync(first), name: "first", blocks: true));
        var circle = $$"""{"metadata":{"ownerReferences":[{{Reference(await UidAsync(second), name: "second-of-circle", blocks: true)}}] } }""";
        Assert.Equal(200, (await host.Http.SendAsync("PATCH", first, circle, "application/merge-patch+json")).Code);

        await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services/owner?propagationPolicy=Foreground");
        await host.Http.SendAsync("DELETE", $"{first}?propagationPolicy=Foreground");

        foreach (var path in new[] { end, middle, $"/api/v1/namespaces/{ns}/services/owner", first, second })
        {
            await UntilGoneAsync(path);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_collection_is_deleted_with_the_policy_that_was_asked_for()
    {
        var (ns, owner) = await OwnerAsync();
        var left = await CreateAsync(ns, "pods", "left", Reference(owner));

        await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services?propagationPolicy=Orphan");

        await UntilGoneAsync($"/api/v1/namespaces/{ns}/services/owner");
        Assert.Null((await host.Http.SendAsync("GET", left)).Body!["metadata"]!["ownerReferences"]);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Namespace_is_never_garbage()
    {
        var ns = $"/api/v1/namespaces/{await host.Http.NewNamespaceAsync()}";
        var missing = Reference("no-such-uid", kind: "Namespace", name: "no-such-namespace");
        var patch = $$"""{"metadata":{"ownerReferences":[{{missing}}]} }""";
        Assert.Equal(200, (await host.Http.SendAsync("PATCH", ns, patch, "application/merge-patch+json")).Code);

        await UntilGoneAsync(await ClassAsync(missing)); // a look at what is in no namespace

        var there = await host.Http.SendAsync("GET", ns);
        Assert.Equal((200, null), (there.Code, there.Body!["metadata"]!["deletionTimestamp"]));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_owner_in_no_namespace_waits_for_its_dependents_in_all_of_them()
    {
        var (first, second) = (await host.Http.NewNamespaceAsync(), await host.Http.NewNamespaceAsync());
        var owner = await ClassAsync();
        var reference = Reference(await UidAsync(owner), "networking.k8s.io/v1", "IngressClass", owner[(owner.LastIndexOf('/') + 1)..], blocks: true);
        var other = await CreateAsync(first, "configmaps", "other", reference);
        var blocking = await CreateAsync(second, "configmaps", "blocking", reference, isHeld: true);

        await host.Http.SendAsync("DELETE", $"{owner}?propagationPolicy=Foreground");
        await UntilGoneAsync(other);
        await UntilAsync(blocking, body => body!["metadata"]!["deletionTimestamp"] is not null);
        await UntilGoneAsync(await CreateAsync(first, "configmaps", "later", Reference("no-such-uid"))); // a look where nothing blocks

        Assert.Equal(200, (await host.Http.SendAsync("GET", owner)).Code);
        await host.Http.SendAsync("PATCH", blocking, """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        await UntilGoneAsync(blocking);
        await UntilGoneAsync(owner);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_owner_in_no_namespace_is_forgotten_in_all_of_them()
    {
        var owner = await ClassAsync();
        var reference = Reference(await UidAsync(owner), "networking.k8s.io/v1", "IngressClass", owner[(owner.LastIndexOf('/') + 1)..]);
        var left = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            left.Add(await CreateAsync(await host.Http.NewNamespaceAsync(), "configmaps", "left", reference));
        }

        await host.Http.SendAsync("DELETE", $"{owner}?propagationPolicy=Orphan");

        await UntilGoneAsync(owner);
        foreach (var path in left)
        {
            var there = await host.Http.SendAsync("GET", path);
            Assert.Equal(200, there.Code);
            Assert.Null(there.Body!["metadata"]!["ownerReferences"]);
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData("""{"propagationPolicy":"Sideways"}""", "Unsupported value: \"Sideways\"")]
    [InlineData("""{"propagationPolicy":"Orphan","orphanDependents":true}""", "orphanDependents and deletionPropagation cannot be both set")]
    public async Task A_policy_that_cannot_be_is_422_and_deletes_nothing(string body, string sentence)
    {
        var (ns, _) = await OwnerAsync();

        var answer = await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}/services/owner", body);

        Assert.Equal((422, true), (answer.Code, answer.Message.Contains(sentence, StringComparison.Ordinal)));
        Assert.Equal(200, (await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services/owner")).Code);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("background", false)]
    [InlineData("foreground", false)]
    [InlineData("orphan", true)]
    public async Task Kubectl_deletes_with_each_cascade(string cascade, bool stays)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        var (ns, owner) = await OwnerAsync();
        var owned = await CreateAsync(ns, "ingresses", "owned", Reference(owner, blocks: true));

        await kubectl.RunAsync($"delete service owner -n {ns} --cascade={cascade} --timeout=30s");

        Assert.Equal(404, (await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services/owner")).Code);
        if (stays)
        {
            Assert.Null((await host.Http.SendAsync("GET", owned)).Body!["metadata"]!["ownerReferences"]);
        }
        else
        {
            await UntilGoneAsync(owned);
        }
    }

    private static string Reference(string uid, string version = "v1", string kind = "Service", string name = "owner", bool blocks = false) =>
        $$"""{"apiVersion":"{{version}}","kind":"{{kind}}","name":"{{name}}","uid":"{{uid}}","blockOwnerDeletion":{{(blocks ? "true" : "false")}} }""";

    private async Task<(string Namespace, string Uid)> OwnerAsync()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var answer = await host.Http.SendAsync("POST", $"/api/v1/namespaces/{ns}/services", Owner);
        Assert.Equal(201, answer.Code);
        return (ns, answer.Body!["metadata"]!["uid"]!.GetValue<string>());
    }

    private Task<string> CreateAsync(string ns, string kind, string name, params string[] owners) => CreateAsync(ns, kind, name, owners, isHeld: false);

    private Task<string> CreateAsync(string ns, string kind, string name, string owner, bool isHeld) => CreateAsync(ns, kind, name, [owner], isHeld);

    private async Task<string> CreateAsync(string ns, string kind, string name, string[] owners, bool isHeld)
    {
        var (path, spec) = Dependents[kind];
        path = path.Replace("NS", ns, StringComparison.Ordinal);
        var document = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["ownerReferences"] = new JsonArray([.. owners.Select(owner => JsonNode.Parse(owner))]),
                ["finalizers"] = isHeld ? new JsonArray("example.com/held") : null,
            },
            ["spec"] = JsonNode.Parse(spec.Replace("NS", ns, StringComparison.Ordinal)),
        };
        var answer = await host.Http.SendAsync("POST", path, document.ToJsonString());
        Assert.True(answer.Code == 201, answer.Message);
        return $"{path}/{name}";
    }

    private async Task ReleaseAsync(string path, string finalizers) =>
        Assert.Equal(200, (await host.Http.SendAsync("PATCH", path, $$$"""{"metadata":{"finalizers":{{{finalizers}}}}}""", "application/merge-patch+json")).Code);

    /// <summary>An IngressClass: it is in no namespace.</summary>
    private async Task<string> ClassAsync(params string[] owners)
    {
        const string Classes = "/apis/networking.k8s.io/v1/ingressclasses";
        var document = $$$"""{"metadata":{"generateName":"class-","ownerReferences":[{{{string.Join(',', owners)}}}]},"spec":{"controller":"example.com/any"} }""";
        var answer = await host.Http.SendAsync("POST", Classes, document);
        Assert.True(answer.Code == 201, answer.Message);
        return $"{Classes}/{answer.Body!["metadata"]!["name"]}";
    }

    private async Task<string> UidAsync(string ns, string service)
    {
        var path = await CreateAsync(ns, "services", service);
        return await UidAsync(path);
    }

    private async Task<string> UidAsync(string path) =>
        (await host.Http.SendAsync("GET", path)).Body!["metadata"]!["uid"]!.GetValue<string>();

    private Task UntilGoneAsync(string path) => UntilAsync(path, body => body is null);

    private async Task UntilAsync(string path, Func<JsonNode?, bool> wanted)
    {
        var collection = path[..path.LastIndexOf('/')];
        using var watch = await Watching.StartAsync(host, $"{collection}?watch=true&fieldSelector=metadata.name%3D{path[(path.LastIndexOf('/') + 1)..]}");
        while (true)
        {
            var answer = await host.Http.SendAsync("GET", path);
            if (wanted(answer.Code == 404 ? null : answer.Body))
            {
                return;
            }

            await watch.NextAsync();
        }
    }
}
