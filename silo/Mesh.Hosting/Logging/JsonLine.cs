using System.Text;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>What a program tells on its own, beside its log, in the form of a log line in JSON.</summary>
public static class JsonLine
{
    public static string Of(DateTimeOffset now, string category, string name, string message, IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        using var line = LogLine.Begin();
        KeyValuePair<string, object?>[] state = [.. fields, LogLine.WithMessage];
        return Encoding.UTF8.GetString(line.Write(asJson: true, now, category, LogLevel.Information, new EventId(0, name), state, null, (_, _) => message));
    }
}
