using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using k8s;
using k8s.Models;
using Mesh.Agent.Registrations;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Writing;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Pods;
using Xunit;
using PodDocument = Mesh.Agent.Registrations.PodDocument;
using Probed = Mesh.Agent.Pods.RegisteredPod;

namespace Mesh.ApiServer.Tests;

/// <summary>Registration and API are two doors to one kind: what the one lets in, the other can handle.</summary>
public sealed class RegistrationAdmissionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Resource Pod = new ResourceCatalog().Find("", "v1", "pods")!;

    private static readonly Gen<string> Name = OneOf(
        "web", "web-1.example.com", "a.b", "1.2.3.4", new string('a', 63), new string('b', 64), new string('c', 62) + ".d.e", string.Join('.', Enumerable.Repeat("host", 50)));

    private static readonly Gen<string> Labels = Map(
        Mostly(OneOf("app", "example.com/app", "a_b"), "-bad", "a/b/c", "Example.com/x"), Mostly(OneOf("\"web\"", "\"\"", "\"a.b\""), "\"-x\"", "null", "7"));

    private static readonly Gen<string> Annotations = Map(
        Mostly(OneOf("note", "example.com/note"), "mesh.internal/x", "bad key"), Mostly(OneOf("\"any thing\"", "\"\"", "\"+<>\""), "\"\\ud800\"", "[]"));

    private static readonly Gen<string> Ports = Gen.Select(
        Mostly(OneOf("\"name\":\"http\",", "\"name\":\"a-b\",", "\"name\":null,", ""), "\"name\":\"a--b\",", "\"name\":\"123\",", "\"name\":\"-a\",", "\"name\":\"Http\","),
        Mostly(OneOf("80", "8080", "53"), "0", "65536", "\"80\"", "80.5"),
        Mostly(OneOf("", ",\"protocol\":\"UDP\"", ",\"protocol\":null"), ",\"protocol\":\"tcp\"", ",\"hostPort\":1"),
        (name, number, protocol) => $"{{{name}\"containerPort\":{number}{protocol}}}").Array[0, 3].Select(ports => $"[{string.Join(',', ports)}]");

    private static readonly Gen<string> Port = Mostly(OneOf("80", "\"http\""), "\"a--b\"", "0", "\"80\"", "null").Select(port => "\"port\":" + port);

    private static readonly Gen<string> Socket = Gen.Select(
        Port,
        Mostly(OneOf("", ",\"host\":\"\"", ",\"host\":\"127.0.0.1\""), ",\"path\":\"/\"", ",\"host\":7"),
        (port, host) => $"\"tcpSocket\":{{{port}{host}}}");

    private static readonly Gen<string> Get = Gen.Select(
        Port,
        Mostly(OneOf("", ",\"scheme\":\"HTTPS\"", ",\"scheme\":\"\"", ",\"scheme\":null"), ",\"scheme\":\"FTP\"", ",\"scheme\":\"http\""),
        Mostly(OneOf("", ",\"path\":\"/ready\"", ",\"path\":\"\"", ",\"path\":null", ",\"host\":\"\""), ",\"path\":\"\\ud800\"", ",\"pth\":\"/\""),
        Mostly(
            OneOf("", ",\"httpHeaders\":[]", ",\"httpHeaders\":[{\"name\":\"X-A\",\"value\":\"b\"}]", ",\"httpHeaders\":[{\"name\":\"X-A\"}]", ",\"httpHeaders\":null"),
            ",\"httpHeaders\":[{\"name\":\"a b\",\"value\":\"\"}]"),
        (port, scheme, path, headers) => $"\"httpGet\":{{{port}{scheme}{path}{headers}}}");

    private static readonly Gen<string> Probe = Gen.Select(
        Mostly(Gen.OneOf(Socket, Get), "\"exec\":{}", "\"grpc\":{\"port\":80}", "\"tcpSocket\":null"),
        Mostly(OneOf("periodSeconds", "initialDelaySeconds", "timeoutSeconds", "successThreshold", "failureThreshold"), "periodSecond", "terminationGracePeriodSeconds"),
        Mostly(OneOf("5", "0", "2147483647", "null"), "-1", "2147483648", "1.5"),
        (action, field, number) => $"{{{action},\"{field}\":{number}}}");

    private static readonly Gen<string> Body = Gen.Select(
        Labels,
        Annotations,
        Ports,
        Gen.OneOf(Gen.Const("null"), Probe),
        (labels, annotations, ports, probe) => $$"""{"labels":{{labels}},"annotations":{{annotations}},"ports":{{ports}},"readinessProbe":{{probe}} }""");

    [Fact]
    public void What_a_registration_may_be_the_API_admits_and_can_label_and_replace() =>
        Gen.Select(Name, Body).Sample(
            (name, body) =>
            {
                if (Registered(name, body) is not { } stored)
                {
                    return;
                }

                var unchanged = stored.ToJsonString();
                Assert.Null(Problem(stored, document => Put(document, "labels", "x")));
                Assert.Null(Problem(stored, document => Put(document, "annotations", "note")));
                // As an editor or a typed client sends it back: read into the public types, and written again.
                var typed = JsonNode.Parse(KubernetesJson.Serialize(KubernetesJson.Deserialize<V1Pod>(unchanged)))!.AsObject();
                Assert.Null(Problem(stored, typed));
                Assert.Equal(unchanged, stored.ToJsonString());
            },
            iter: 3_000);

    [Fact]
    public void The_generator_reaches_what_is_taken_and_what_is_refused()
    {
        var seen = new Dictionary<string, int>();
        Gen.Select(Name, Body).Sample(
            (name, body) =>
            {
                lock (seen)
                {
                    var stored = Registered(name, body);
                    Count(seen, stored is null ? "refused" : "taken");
                    if (stored is not null)
                    {
                        var text = stored.ToJsonString();
                        foreach (var part in (string[])["httpGet", "tcpSocket", "httpHeaders", "HTTPS", "periodSeconds", "2147483647", "UDP", "a-b", "example.com/app"])
                        {
                            if (text.Contains(part, StringComparison.Ordinal))
                            {
                                Count(seen, part);
                            }
                        }

                        Count(seen, name.Contains('.', StringComparison.Ordinal) ? "dots" : "label");
                    }
                }
            },
            iter: 3_000);
        Assert.All(
            (string[])["refused", "taken", "httpGet", "tcpSocket", "httpHeaders", "HTTPS", "periodSeconds", "2147483647", "UDP", "a-b", "example.com/app", "dots", "label"],
            what => Assert.True(seen.GetValueOrDefault(what) >= 5, $"{what}: {seen.GetValueOrDefault(what)}"));
    }

    [Fact]
    public void Nobody_is_warned_of_an_image_that_nobody_gave()
    {
        Assert.Empty(Pod.Warn(Registered("web", "{}")!));
        var given = Registered("web", "{}")!;
        given.At("spec", "containers").AsList().Single()!["image"] = "nginx";
        Assert.Contains("image", Assert.Single(Pod.Warn(given)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web", "web")]
    [InlineData("web-1.example.com", "web-1-example-com")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b.c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_Pods_container_has_a_name_that_a_container_may_have(string pod, string container) =>
        Assert.Equal(container, Registered(pod, "{}").At("spec", "containers").AsList().Single().At("name").AsText());

    [Theory]
    [InlineData("""{"ports":[{"name":"a--b","containerPort":80}]}""", "ports[0].name: 'a--b' is not a port name: must not contain consecutive hyphens.")]
    [InlineData("""{"readinessProbe":{"tcpSocket":{"port":80},"periodSecond":5}}""", "readinessProbe: The field 'periodSecond' is not known here")]
    [InlineData("""{"readinessProbe":{"httpGet":{"port":80,"pth":"/"}}}""", "readinessProbe.httpGet: The field 'pth' is not known here")]
    [InlineData("""{"readinessProbe":{"httpGet":{"port":80,"scheme":"FTP"}}}""", "readinessProbe.httpGet.scheme: 'FTP' is not HTTP or HTTPS.")]
    [InlineData("""{"readinessProbe":{"httpGet":{"port":80,"httpHeaders":[{"name":"a b"}]}}}""", "readinessProbe.httpGet.httpHeaders[0].name: 'a b'")]
    [InlineData("""{"readinessProbe":{"tcpSocket":{"port":80},"periodSeconds":2147483648}}""", "readinessProbe.periodSeconds: must be a whole number")]
    [InlineData("""{"readinessProbe":{"httpGet":{"port":80,"path":"/\ud800"}}}""", "not Unicode")]
    [InlineData("""{"readinessProbe":{"\ud800":1}}""", "not Unicode")]
    [InlineData("""{"ports":[{"containerPort":80},{"containerPort":80}]}""", "ports[1].containerPort: 80 occurs twice.")]
    public void What_is_refused_is_told_by_its_field(string body, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<FormatException>(() => RegistrationParser.Read(Encoding.UTF8.GetBytes(body))).Message, StringComparison.Ordinal);

    [Fact]
    public void The_same_number_may_be_one_port_of_each_protocol_and_64_are_the_most()
    {
        Assert.Equal(2, RegistrationParser.Read("""{"ports":[{"containerPort":53},{"containerPort":53,"protocol":"UDP"}]}"""u8.ToArray()).Ports.Length);
        Assert.Equal(2, RegistrationParser.Read("""{"ports":[{"name":"http","containerPort":80},{"name":"metrics","containerPort":80}]}"""u8.ToArray()).Ports.Length);
        Assert.Equal(64, RegistrationParser.Read(Many(64)).Ports.Length);
        var refused = Assert.Throws<FormatException>(() => RegistrationParser.Read(Many(65)));
        Assert.Equal("ports: 65 are more than the 64 that one registration may have.", refused.Message);

        static byte[] Many(int count) =>
            Encoding.UTF8.GetBytes("{\"ports\":[" + string.Join(',', Enumerable.Range(1, count).Select(port => "{\"containerPort\":" + port + "}")) + "]}");
    }

    private static void Put(JsonObject document, string map, string key)
    {
        var metadata = document["metadata"]!.AsObject();
        var values = metadata[map] as JsonObject ?? [];
        values[key] = "by-kubectl";
        metadata[map] = values.DeepClone();
    }

    private static void Count(Dictionary<string, int> seen, string what) => seen[what] = seen.GetValueOrDefault(what) + 1;

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    /// <summary>What is legal, and now and then one of the others.</summary>
    private static Gen<string> Mostly(Gen<string> legal, params string[] others) =>
        Gen.Select(Gen.Int[0, 9], legal, OneOf(others), (die, good, bad) => die == 0 ? bad : good);

    private static Gen<string> Map(Gen<string> key, Gen<string> value) =>
        Gen.Select(key, value, (name, text) => $"\"{name}\":{text}").Array[0, 2].Select(pairs => $"{{{string.Join(',', pairs)}}}");

    /// <summary>The Pod as the control plane stores it; null when the registration is refused.</summary>
    private static JsonObject? Registered(string name, string body)
    {
        try
        {
            var registration = RegistrationParser.Read(Encoding.UTF8.GetBytes(body));
            var facts = new PodDocument.Facts(NamespacedName.Of("default", name), "uid-1", "n1", IPAddress.Loopback, Now, registration);
            Probed.ParsedProbe(facts);
            var report = new PodReport("default", name, "uid-1", "n1", PodDocument.ForReport(facts), 1, 1, true, false, false, "", "", true);
            return JsonNode.Parse(RegisteredPod.Create(report, "127.0.0.1", Now).Span)!.AsObject();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? Problem(JsonObject stored, Action<JsonObject> change)
    {
        var document = (JsonObject)stored.DeepClone();
        change(document);
        return Problem(stored, document);
    }

    private static string? Problem(JsonObject stored, JsonObject document)
    {
        var request = new ResourceRequest(Pod, "default", stored.At("metadata", "name").AsText()!, "");
        if (ObjectReader.Fit(Pod, document, stored, [], FieldValidation.Strict, new Warnings()).IsRefused(out var unfit, out var fitting))
        {
            return unfit.Message;
        }

        return Admission.Update(request, stored, fitting).IsRefused(out var refused, out _) ? refused.Message : null;
    }
}
