using System.Globalization;
using System.Text.Json;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Printing;

/// <summary>A Pod's row (printers.go, printPod).</summary>
internal static class PodCells
{
    public static string[] For(JsonElement document, DateTimeOffset now)
    {
        var statuses = document.At("status", "containerStatuses").Items().ToList();
        var total = document.At("spec", "containers").Items().Count();
        var ready = statuses.Count > 0
            ? statuses.Count(status => status.At("ready").Flag())
            : document.Condition("Ready").At("status").Text() == "True" ? total : 0;
        return
        [
            document.ObjectName(),
            string.Create(CultureInfo.InvariantCulture, $"{ready}/{total}"),
            Status(document, statuses),
            Restarts(statuses, now),
            TableCells.Age(document, now),
            document.At("status", "podIP").TextOr(TableCells.None),
            document.At("spec", "nodeName").TextOr(TableCells.None),
            document.At("status", "nominatedNodeName").TextOr(TableCells.None),
            TableCells.None,
        ];
    }

    private static string Status(JsonElement document, List<JsonElement> statuses)
    {
        var phase = document.At("status", "phase").TextOr("Unknown");
        var reason = document.At("status", "reason").Text();
        if (document.At("metadata", "deletionTimestamp").Text().Length > 0 && phase is not ("Succeeded" or "Failed"))
        {
            return reason == "NodeLost" ? "Unknown" : "Terminating";
        }

        // A container that waits or ended says more than the phase; the first of them is shown.
        var container = statuses
            .Select(status => status.At("state", "waiting", "reason").TextOr(status.At("state", "terminated", "reason").Text()))
            .FirstOrDefault(text => text.Length > 0);
        return container ?? (reason.Length > 0 ? reason : phase);
    }

    private static string Restarts(List<JsonElement> statuses, DateTimeOffset now)
    {
        var count = statuses.Sum(status => status.At("restartCount").ValueKind == JsonValueKind.Number ? status.At("restartCount").GetInt64() : 0);
        var last = statuses.Select(status => status.At("lastState", "terminated", "finishedAt").Time()).Max();
        var text = count.ToString(CultureInfo.InvariantCulture);
        return count > 0 && last is not null ? $"{text} ({HumanDuration.Since(last, now)} ago)" : text;
    }
}
