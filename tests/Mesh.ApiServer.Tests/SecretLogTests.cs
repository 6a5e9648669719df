using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What a Secret holds is for who reads it by the API; a log is read by others.</summary>
public sealed class SecretLogTests(SecretLogTests.LoggedHost host) : IClassFixture<SecretLogTests.LoggedHost>
{
    [Fact(Timeout = 60_000)]
    public async Task No_log_line_holds_a_word_of_a_Secret()
    {
        var spans = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ApiTracing.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => spans.Enqueue($"{string.Join(' ', span.TagObjects)} {span.StatusDescription}"),
        };
        ActivitySource.AddActivityListener(listener);
        var words = new[] { "hunter2", Convert.ToBase64String(Encoding.UTF8.GetBytes("hunter2")), "424242" };
        const string Secrets = "/api/v1/namespaces/default/secrets";
        const string Told = Secrets + "/told";
        await host.Http.SendAsync("POST", Secrets, """{"metadata":{"name":"told"},"stringData":{"a":"hunter2"},"hunter2":1}""");
        await host.Http.SendAsync("PUT", Told, """{"metadata":{"name":"told"},"data":{"a":424242}}""");
        await host.Http.SendAsync("PATCH", Told, """[{"op":"test","path":"/data/a","value":"hunter2"}]""", "application/json-patch+json");
        await host.Http.SendAsync("PATCH", Told, """{"data":{"hunter2":"aHVudGVyMg=="},"type":"hunter2"}""", "application/merge-patch+json");
        await host.Http.SendAsync("POST", Secrets, """{"metadata":{"name":"told2"},"stringData":{"hunter2/hunter2":"hunter2"}}""");

        Assert.Contains(host.LogLines, line => line.Contains("secrets", StringComparison.Ordinal));
        Assert.Contains(spans, span => span.Contains("secrets", StringComparison.Ordinal));
        Assert.DoesNotContain(spans, span => words.Any(word => span.Contains(word, StringComparison.Ordinal)));
        Assert.DoesNotContain(host.LogLines, line => words.Any(word => line.Contains(word, StringComparison.Ordinal)));
    }

    /// <summary>Keeps every log line, of every level and part.</summary>
    public sealed class LoggedHost : ApiHost
    {
        private readonly Lines _lines = new();

        internal IEnumerable<string> LogLines => _lines.All;

        protected override void ConfigureStorage(IServiceCollection services, string directory)
        {
            services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_lines));
            base.ConfigureStorage(services, directory);
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
