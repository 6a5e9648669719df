using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>Writes one log line, as a person reads it or as a machine does, into bytes that each thread uses again.</summary>
internal sealed class LogLine : IDisposable
{
    /// <summary>The last pair of a state that was made of a template, as LoggerMessage makes it.</summary>
    private const string Template = "{OriginalFormat}";

    /// <summary>For a state that was made of no template, and has a message all the same.</summary>
    public static KeyValuePair<string, object?> WithMessage { get; } = new(Template, null);

    private const int LongestKept = 64 * 1024;
    private const int RoundTripMilliseconds = 23; // of the 27 characters of the round-trip format

    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, char.MaxValue).Where(c => (char.IsControl((char)c) && c != '\t') || c is 0x2028 or 0x2029 || LogEncoder.TurnsDirection(c)).Select(c => (char)c)]);

    [ThreadStatic]
    private static LogLine? Unused;

    private readonly ArrayBufferWriter<byte> _bytes = new(1024);
    private readonly Utf8JsonWriter _json;

    private LogLine() => _json = new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true, Encoder = LogEncoder.Instance });

    /// <summary>The thread's own; another one when a value that is being written logs itself.</summary>
    public static LogLine Begin()
    {
        var line = Unused ?? new LogLine();
        Unused = null;
        return line;
    }

    public void Dispose()
    {
        if (_bytes.Capacity <= LongestKept)
        {
            _bytes.ResetWrittenCount();
            _json.Reset();
            Unused = this;
        }
    }

    /// <returns>Valid until disposal.</returns>
    public ReadOnlySpan<byte> Write<TState>(
        bool asJson, DateTimeOffset now, string category, LogLevel level, EventId id, TState state, Exception? failure, Func<TState, Exception?, string> formatter)
    {
        if (asJson)
        {
            WriteJson(now, category, level, id, state, failure, formatter);
        }
        else
        {
            WriteText(now, category, level, formatter(state, failure), failure);
        }

        _bytes.Write("\n"u8);
        return _bytes.WrittenSpan;
    }

    private void WriteText(DateTimeOffset now, string category, LogLevel level, string message, Exception? failure)
    {
        Append(now.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        Append(" ");
        Append(Word(level).PadRight(7));
        Append(" ");
        Append(category.AsSpan(category.LastIndexOf('.') + 1));
        Append(": ");
        Append(OneLine(message));
        if (failure is not null)
        {
            Append("\n");
            Append(failure.ToString());
        }
    }

    private void WriteJson<TState>(
        DateTimeOffset now, string category, LogLevel level, EventId id, TState state, Exception? failure, Func<TState, Exception?, string> formatter)
    {
        var pairs = state as IReadOnlyList<KeyValuePair<string, object?>>;
        _json.WriteStartObject();
        WriteTime(now);
        _json.WriteString("level"u8, Word(level));
        _json.WriteString("category"u8, category);
        if (id.Name is { Length: > 0 } name)
        {
            _json.WriteString("event"u8, name);
        }

        // Without a template the pairs are all there is to say, and a message would say it twice.
        if (pairs is not [.., { Key: not Template }])
        {
            _json.WriteString("message"u8, formatter(state, failure));
        }

        if (!WritePairs(pairs) && Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
        {
            _json.WriteString("trace_id"u8, activity.TraceId.ToHexString());
        }

        if (failure is not null)
        {
            _json.WriteString("exception"u8, failure.ToString());
        }

        _json.WriteEndObject();
        _json.Flush();
    }

    /// <summary>Round-trip format, as that is the one that is formatted fast.</summary>
    private void WriteTime(DateTimeOffset now)
    {
        Span<byte> time = stackalloc byte[32];
        now.UtcDateTime.TryFormat(time, out _, "O", CultureInfo.InvariantCulture);
        time[RoundTripMilliseconds] = (byte)'Z';
        _json.WriteString("time"u8, time[..(RoundTripMilliseconds + 1)]);
    }

    /// <summary>Whether the pairs name the trace themselves.</summary>
    private bool WritePairs(IReadOnlyList<KeyValuePair<string, object?>>? pairs)
    {
        var nameTrace = false;
        for (var i = 0; i < pairs?.Count; i++)
        {
            var (key, value) = pairs[i];
            if (key != Template)
            {
                var name = FieldName.Of(key);
                WritePair(name, value);
                nameTrace |= name.EncodedUtf8Bytes.SequenceEqual("trace_id"u8);
            }
        }

        return nameTrace;
    }

    private void WritePair(JsonEncodedText key, object? value)
    {
        switch (value)
        {
            case null:
                _json.WriteNull(key);
                break;
            case string text:
                _json.WriteString(key, text);
                break;
            case int number:
                _json.WriteNumber(key, number);
                break;
            case long number:
                _json.WriteNumber(key, number);
                break;
            case double number when double.IsFinite(number):
                _json.WriteNumber(key, number);
                break;
            case bool truth:
                _json.WriteBoolean(key, truth);
                break;
            default:
                _json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private void Append(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, _bytes);

    /// <summary>What came over a socket must not forge a second line or move a terminal's cursor.</summary>
    private static string OneLine(string message) => message.AsSpan().ContainsAny(Controls)
        ? string.Create(message.Length, message, static (line, from) =>
        {
            from.CopyTo(line);
            line.ReplaceAny(Controls, ' ');
        })
        : message;

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        LogLevel.Critical => "fatal",
        _ => "none",
    };
}
