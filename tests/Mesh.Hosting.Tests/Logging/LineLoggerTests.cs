using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Mesh.Hosting.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Hosting.Tests.Logging;

/// <summary>What a log line looks like, and what happens to lines that come faster than they can be written.</summary>
public sealed class LineLoggerTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 25, 20, 4, 5, 678, TimeSpan.Zero));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_line_in_JSON_has_the_message_and_its_values_by_name()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: true, _time);

        Log.Told(provider.CreateLogger("Mesh.Some"), "a\nb", 3, 1.5);

        var line = await output.NextAsync(Stop);
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(
            ["time", "level", "category", "event", "message", "text", "number", "share"],
            json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal("2026-11-25T20:04:05.678Z", json.RootElement.GetProperty("time").GetString());
        Assert.Equal("info", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("a\nb and 3 of 1.5", json.RootElement.GetProperty("message").GetString());
        Assert.Equal(3, json.RootElement.GetProperty("number").GetInt32());
        Assert.Equal(1, line.Count(c => c == '\n'));
    }

    [Fact(Timeout = 30_000)]
    public async Task What_can_be_pasted_stays_as_it_is_and_what_moves_a_terminal_is_escaped()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: true, _time);

        Log.Told(provider.CreateLogger("Mesh.Some"), "run 'setcap cap=+ep' <über 日本 &`> \"q\" \\ \u001b[2J \u0085 \u2028 \u202e\u2066 \ud800", 3, 1.5);

        var line = await output.NextAsync(Stop);
        Assert.Contains("run 'setcap cap=+ep' <über 日本 &`> \\\"q\\\" \\\\ \\u001B[2J \\u0085 \\u2028 \\u202E\\u2066 ", line, StringComparison.Ordinal);
        Assert.DoesNotContain(line[..^1], char.IsControl);
        using var json = JsonDocument.Parse(line);
        Assert.StartsWith("run 'setcap cap=+ep' <über 日本 &`> \"q\" \\ \u001b[2J \u0085 \u2028 \u202e\u2066 ", json.RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Names_are_of_one_kind_and_none_stands_twice()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: true, _time);

        Log.Mixed(provider.CreateLogger("Mesh.Some"), "a", "b", "c", "d");

        using var json = JsonDocument.Parse(await output.NextAsync(Stop));
        Assert.Equal(
            ["time", "level", "category", "event", "message", "field_message", "data_dir", "end_point", "trace_id"],
            json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal("a in b at c of d", json.RootElement.GetProperty("message").GetString());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_line_without_a_template_is_its_values_alone_and_names_its_trace_once()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: true, _time);
        using var activity = new Activity("a request").Start();

        KeyValuePair<string, object?>[] fields = [new("host", "a.test"), new("trace_id", "7")];
        provider.CreateLogger("Mesh.Some").Log(
            LogLevel.Information,
            new EventId(1, "Access"),
            fields,
            null,
            (_, _) => throw new InvalidOperationException("nobody reads the text"));

        using var json = JsonDocument.Parse(await output.NextAsync(Stop));
        Assert.Equal(["time", "level", "category", "event", "host", "trace_id"], json.RootElement.EnumerateObject().Select(property => property.Name));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_line_of_text_stays_one_line_whatever_it_tells()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: false, _time);

        Log.Told(provider.CreateLogger("Mesh.Some"), "über\r\n\u001b[2J\u2028\u202eb", 3, 1.5);

        Assert.EndsWith(" info    Some: über   [2J  b and 3 of 1.5\n", await output.NextAsync(Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Lines_that_come_while_it_rests_are_written_in_one_piece()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: false, _time);
        var log = provider.CreateLogger("Mesh.Some");

        Log.Told(log, "first", 1, 1);
        Assert.Contains("first", await output.NextAsync(Stop), StringComparison.Ordinal);
        Log.Told(log, "second", 2, 1);
        Log.Told(log, "third", 3, 1);
        string next;
        using (var turns = new RestEnds(_time))
        {
            next = await output.NextAsync(Stop);
        }

        Assert.Contains("second", next, StringComparison.Ordinal);
        Assert.Contains("third", next, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Lines_that_find_the_queue_full_are_counted_in_the_log_and_in_a_metric()
    {
        using var output = new Collected();
        using var provider = new LineLoggerProvider(output, asJson: true, _time);
        using var meter = new Dropped();
        var log = provider.CreateLogger("Mesh.Some");
        var long64K = new string('x', 64 * 1024);

        output.Stop();
        Log.Told(log, "first", 0, 1);
        await output.NextAsync(Stop);
        for (var i = 0; i < 100; i++)
        {
            Log.Told(log, long64K, i, 1); // the text stands twice in each line
        }

        output.GoOn();
        using (var turns = new RestEnds(_time))
        {
            var kept = (await output.NextAsync(Stop)).Count(c => c == '\n');
            Assert.InRange(kept, 1, 99);
            using var json = JsonDocument.Parse(await output.NextAsync(Stop));
            Assert.Equal($"{100 - kept} log lines were dropped", json.RootElement.GetProperty("message").GetString());
            Assert.Equal(100 - kept, meter.Count);
        }
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D8")]
    public async Task An_exception_while_lines_are_written_is_told_with_the_next_ones()
    {
        using var output = new Collected { Fault = new InvalidOperationException("planted") };
        using var provider = new LineLoggerProvider(output, asJson: false, _time);
        using var rests = new RestEnds(_time);
        Log.Told(provider.CreateLogger("Mesh.Some"), "lost", 0, 1);
        while (output.Fault is not null)
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        Log.Told(provider.CreateLogger("Mesh.Some"), "next", 0, 1);
        Assert.Contains("log lines could not be written: planted", await output.NextAsync(Stop), StringComparison.Ordinal);
        Assert.Contains("next and 0 of 1", await output.NextAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_logged_last_is_written_at_the_end()
    {
        using var output = new Collected();
        var provider = new LineLoggerProvider(output, asJson: false, _time);
        for (var i = 0; i < 1000; i++)
        {
            Log.Told(provider.CreateLogger("Mesh.Some"), "text", i, 1);
        }

        provider.Dispose();

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"text and {i} of 1"), output.Rest().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]));
        Log.Told(provider.CreateLogger("Mesh.Some"), "late", 0, 1);
    }

    /// <summary>Lets time go on until disposed, so that a rest ends whenever it begins.</summary>
    private sealed class RestEnds(FakeTimeProvider time) : IDisposable
    {
        private readonly Timer _timer = new(_ => time.Advance(Rest), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(1));

        public void Dispose()
        {
            using var ended = new ManualResetEvent(false);
            _timer.Dispose(ended);
            ended.WaitOne();
        }
    }

    private sealed class Dropped : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public Dropped()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "mesh.log.dropped")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref _count, count));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}

internal static partial class Log
{
    [LoggerMessage(7, LogLevel.Information, "{text} and {number} of {share}")]
    public static partial void Told(ILogger log, string text, int number, double share);

    [LoggerMessage(8, LogLevel.Information, "{Message} in {DataDir} at {endPoint} of {TraceId}")]
    public static partial void Mixed(ILogger log, string message, string dataDir, string endPoint, string traceId);
}
