using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>One log line, as a person reads it or as a machine does.</summary>
internal static class LogLine
{
    public static string Text(DateTimeOffset now, string category, LogLevel level, string message, Exception? failure)
    {
        var line = new StringBuilder();
        line.Append(now.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture))
            .Append(' ').Append(Word(level).PadRight(7)).Append(' ')
            .Append(category[(category.LastIndexOf('.') + 1)..]).Append(": ").Append(OneLine(message));
        if (failure is not null)
        {
            line.Append('\n').Append(failure);
        }

        return line.Append('\n').ToString();
    }

    public static string Json<TState>(DateTimeOffset now, string category, LogLevel level, EventId id, string message, TState state, Exception? failure)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", Word(level));
            json.WriteString("category", category);
            if (id.Name is { Length: > 0 } name)
            {
                json.WriteString("event", name);
            }

            json.WriteString("message", message);
            if (state is IReadOnlyList<KeyValuePair<string, object?>> pairs)
            {
                foreach (var (key, value) in pairs)
                {
                    WritePair(json, key, value);
                }
            }

            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                json.WriteString("trace_id", activity.TraceId.ToHexString());
            }

            if (failure is not null)
            {
                json.WriteString("exception", failure.ToString());
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void WritePair(Utf8JsonWriter json, string key, object? value)
    {
        if (key == "{OriginalFormat}")
        {
            return;
        }

        switch (value)
        {
            case null:
                json.WriteNull(key);
                break;
            case int number:
                json.WriteNumber(key, number);
                break;
            case long number:
                json.WriteNumber(key, number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(key, number);
                break;
            case bool truth:
                json.WriteBoolean(key, truth);
                break;
            default:
                json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    /// <summary>What came over a socket must not forge a second line or move a terminal's cursor.</summary>
    private static string OneLine(string message) =>
        message.Any(c => char.IsControl(c) && c != '\t')
            ? string.Concat(message.Select(c => char.IsControl(c) && c != '\t' ? ' ' : c))
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
