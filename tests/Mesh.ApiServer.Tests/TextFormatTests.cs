using System.Text;
using Mesh.ApiServer.Schemas;
using Mesh.Core.Names;
using Mesh.Storage;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Strings that have a form of their own: what Go cannot read is never stored.</summary>
public sealed class TextFormatTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    private const string Pattern = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

    // After the cases of apimachinery's quantity_test.go.
    [Theory]
    [InlineData("0")]
    [InlineData("100m")]
    [InlineData("1Ki")]
    [InlineData("1.5Gi")]
    [InlineData("1E")]
    [InlineData("1e3")]
    [InlineData("1e+3")]
    [InlineData("1E-3")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("0.025Ti")]
    [InlineData("100000000000000000000000000000000000000")]
    [InlineData(" 1 ")]
    public void A_quantity_is_what_Kubernetes_reads_as_one(string text) => Assert.Null(TextFormats.QuantityProblem(text));

    [Theory]
    [InlineData("", Pattern)]
    [InlineData("abc", Pattern)]
    [InlineData("0x10", Pattern)]
    [InlineData("1.1.1", Pattern)]
    [InlineData("1.1.M", Pattern)]
    [InlineData("1+1.0M", Pattern)]
    [InlineData("1 M", Pattern)]
    [InlineData("--1", Pattern)]
    [InlineData("1_000", Pattern)]
    [InlineData(".", Pattern)]
    [InlineData("1Ki5", "unable to parse quantity's suffix")]
    [InlineData("1e", "unable to parse quantity's suffix")]
    [InlineData("0.1mi", "unable to parse quantity's suffix")]
    [InlineData("1i", "unable to parse quantity's suffix")]
    [InlineData("-3.01e-", "unable to parse quantity's suffix")]
    [InlineData("1K", "unable to parse quantity's suffix")]
    [InlineData("1e99999", "unable to parse quantity's suffix")]
    public void What_is_no_quantity_is_told_in_Kubernetes_words(string text, string sentence) =>
        Assert.Equal(sentence, TextFormats.QuantityProblem(text));

    [Theory]
    [InlineData("2026-11-28T20:00:00Z", true, false)]
    [InlineData("2026-11-28T20:00:00+01:00", true, false)]
    [InlineData("2026-11-28T20:00:00.123456Z", true, true)]
    [InlineData("2026-11-28T20:00:00.5Z", true, false)]
    [InlineData("2026-11-28", false, false)]
    [InlineData("2026-11-28T20:00:00", false, false)]
    [InlineData("2026-11-28 20:00:00Z", false, false)]
    [InlineData("2026-02-30T20:00:00Z", false, false)]
    [InlineData("2026-11-28T20:00:60Z", false, false)]
    [InlineData("28 Nov 2026", false, false)]
    [InlineData("", false, false)]
    public void A_moment_is_RFC_3339_and_a_micro_time_has_six_digits(string text, bool isTime, bool isMicroTime) =>
        Assert.Equal((isTime, isMicroTime), (TextFormats.TimeProblem(text) is null, TextFormats.MicroTimeProblem(text) is null));

    [Theory]
    [InlineData("", null)]
    [InlineData("YWJj", null)]
    [InlineData("YW\r\nJj", null)]
    [InlineData("YWI=", null)]
    [InlineData("YWI", "illegal base64 data at input byte 3")]
    [InlineData("YW I=", "illegal base64 data at input byte 2")]
    [InlineData("YW-_", "illegal base64 data at input byte 2")]
    public void Bytes_are_base64_as_Go_reads_it(string text, string? problem) => Assert.Equal(problem, TextFormats.BytesProblem(text));

    [Theory(Timeout = 30_000)]
    [InlineData("containers", """[{"name":"a","resources":{"limits":{"cpu":"abc"}}}]""", "spec.containers[0].resources.limits.cpu: " + Pattern)]
    [InlineData("containers", """[{"name":"a","resources":{"requests":{"memory":""}}}]""", "spec.containers[0].resources.requests.memory: " + Pattern)]
    [InlineData("containers", """[{"name":"a","env":[{"name":"x","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"0x10"}}}]}]""", "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: " + Pattern)]
    [InlineData("overhead", """{"cpu":"1e"}""", "spec.overhead.cpu: unable to parse quantity's suffix")]
    [InlineData("volumes", """[{"name":"v","emptyDir":{"sizeLimit":"1Ki5"}}]""", "spec.volumes[0].emptyDir.sizeLimit: unable to parse quantity's suffix")]
    public async Task A_quantity_out_of_form_is_400_wherever_it_stands_and_however_fields_are_validated(string field, string value, string sentence)
    {
        foreach (var validation in new[] { "", "?fieldValidation=Strict", "?fieldValidation=Warn", "?fieldValidation=Ignore" })
        {
            var answer = await host.Http.SendAsync("POST", Pods + validation, $$"""{"metadata":{"name":"bad"},"spec":{"{{field}}":{{value}} } }""");

            Assert.Equal((400, $"Pod in version \"v1\" cannot be handled as a Pod: {sentence}"), (answer.Code, answer.Message));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task An_update_and_each_patch_are_checked_too()
    {
        const string Good = """{"metadata":{"name":"good"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}}""";
        await host.Http.SendAsync("POST", Pods, Good);

        Answer[] answers =
        [
            await host.Http.SendAsync("PUT", $"{Pods}/good", Good.Replace("\"1\"", "\"one\"", StringComparison.Ordinal)),
            await host.Http.SendAsync("PATCH", $"{Pods}/good", """{"spec":{"overhead":{"cpu":"one"}}}""", "application/merge-patch+json"),
            await host.Http.SendAsync("PATCH", $"{Pods}/good", """{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"one"}}}]}}""", "application/strategic-merge-patch+json"),
            await host.Http.SendAsync("PATCH", $"{Pods}/good", """[{"op":"replace","path":"/spec/containers/0/resources/limits/cpu","value":"one"}]""", "application/json-patch+json"),
        ];

        Assert.All(answers, answer => Assert.Equal((400, true), (answer.Code, answer.Message.EndsWith(Pattern, StringComparison.Ordinal))));
    }

    /// <summary>Written past today's checks, as a version that had none of them did.</summary>
    [Fact(Timeout = 30_000)]
    public async Task What_an_earlier_version_let_in_can_be_read_labelled_and_deleted()
    {
        var key = new ObjectKey("", "Pod", "default", "old");
        var document = """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"old","namespace":"default","uid":"u-old","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"abc","memory":"1e\u002B3"}}}]}}""";
        await host.Store.CommitAsync([new Write.Put(key, Encoding.UTF8.GetBytes(document), Precondition.Absence)], CommitClass.Request, TestContext.Current.CancellationToken);

        var read = await host.Http.GetStringAsync($"{Pods}/old", TestContext.Current.CancellationToken);
        var labelled = await host.Http.SendAsync("PATCH", $"{Pods}/old", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        var worse = await host.Http.SendAsync("PATCH", $"{Pods}/old", """{"spec":{"overhead":{"cpu":"def"}}}""", "application/merge-patch+json");
        var deleted = await host.Http.SendAsync("DELETE", $"{Pods}/old?gracePeriodSeconds=0");

        Assert.Contains("\"1e+3\"", read, StringComparison.Ordinal);
        Assert.Equal((200, 400, 200), (labelled.Code, worse.Code, deleted.Code));
        Assert.Equal(404, (await host.Http.SendAsync("GET", $"{Pods}/old")).Code);
    }

    [Fact(Timeout = 30_000)]
    public async Task Text_is_stored_as_it_was_sent_by_whoever_writes_it()
    {
        const string Sent = "1+1 <a> & 'b' ü";
        const string Limits = """{"cpu":"+1","memory":"1e+3"}""";
        await host.Http.SendAsync(
            "POST",
            Pods,
            $$"""{"metadata":{"name":"plain","annotations":{"note":"{{Sent}}","mesh.internal/pod-ip":"127.0.0.1"} },"spec":{"containers":[{"name":"a","resources":{"limits":{{Limits}} } }] } }""");
        var created = await host.Http.SendAsync("GET", $"{Pods}/plain");
        await host.ReportAsync("default", "plain", created.Body!["metadata"]!["uid"]!.GetValue<string>(), isReady: true);

        var stored = await host.Store.ReadAsync(new ObjectKey("", "Pod", "default", "plain"), TestContext.Current.CancellationToken);

        var text = Encoding.UTF8.GetString(stored!.Document.Span);
        Assert.Contains(Sent, text, StringComparison.Ordinal);
        Assert.Contains(Limits, text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u", text, StringComparison.Ordinal);
    }
}
