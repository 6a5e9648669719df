using System.Diagnostics;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Which traces are continued.</summary>
public sealed class TraceParentTests
{
    private const int Limit = 30_000;
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("00-TRACE-00f067aa0ba902b7-01", true)]
    [InlineData("cc-TRACE-00f067aa0ba902b7-01", true)]
    [InlineData("cc-TRACE-00f067aa0ba902b7-01-what-the-future-brings", true)]
    [InlineData("cc-TRACE-00f067aa0ba902b7-01.what-the-future-brings", false)]
    [InlineData("00-TRACE-00f067aa0ba902b7-01-what-version-00-forbids", false)]
    [InlineData("ff-TRACE-00f067aa0ba902b7-01-x", false)]
    [InlineData("CC-TRACE-00f067aa0ba902b7-01-x", false)]
    [InlineData("cc-TRACE-0000000000000000-01-x", false)]
    public async Task A_traceparent_of_a_later_version_is_continued_by_what_is_known_of_it(string parent, bool isContinued)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == IngressTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync($"GET / HTTP/1.1\r\nHost: app.test\r\ntraceparent: {parent.Replace("TRACE", Trace, StringComparison.Ordinal)}\r\n\r\n", Stop);

        Assert.Equal(isContinued, answer!.Header("X-Request-ID") == Trace);
        Assert.StartsWith($"00-{answer.Header("X-Request-ID")}-", Assert.Single(backend.Requests).Header("traceparent"), StringComparison.Ordinal);
    }
}
