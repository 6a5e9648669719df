using System.Globalization;
using Mesh.ApiServer.Errors;
using Mesh.Core;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>How new a list must be (resourceVersion and resourceVersionMatch).</summary>
internal abstract record Freshness
{
    private Freshness()
    {
    }

    /// <summary>As of now.</summary>
    public sealed record Newest : Freshness;

    /// <summary>Whatever is at hand.</summary>
    public sealed record AtHand : Freshness;

    public sealed record NotOlderThan(long Version) : Freshness;

    public sealed record Exactly(long Version) : Freshness;
}

/// <summary>Query parameters of list and watch.</summary>
internal sealed record ListOptions
{
    private static readonly TimeSpan LongestWatch = TimeSpan.FromDays(1);

    public required string LabelSelector { get; init; }

    public required string FieldSelector { get; init; }

    public required Freshness Freshness { get; init; }

    /// <summary>As sent: where a watch begins; null when not sent or 0.</summary>
    public long? WatchFrom { get; init; }

    /// <summary>0: no limit.</summary>
    public int Limit { get; init; }

    public required string Continue { get; init; }

    public bool IsWatch { get; init; }

    public bool Bookmarks { get; init; }

    public bool SendInitialEvents { get; init; }

    public TimeSpan? Timeout { get; init; }

    public static Outcome<ListOptions> Parse(HttpRequest request)
    {
        var query = request.Query;
        var match = query["resourceVersionMatch"].ToString();
        var continueToken = query["continue"].ToString();
        var initialEvents = Flag(query["sendInitialEvents"]);
        if (!TryNumber(query["resourceVersion"], out var version))
        {
            return ApiStatus.BadRequest($"resourceVersion: Invalid value: \"{query["resourceVersion"]}\"");
        }

        if (!TryNumber(query["limit"], out var limit) || !TryNumber(query["timeoutSeconds"], out var timeout))
        {
            return ApiStatus.BadRequest("limit and timeoutSeconds must be whole numbers, not below 0");
        }

        if (continueToken.Length > 0 && version is > 0)
        {
            return ApiStatus.BadRequest("specifying resource version is not allowed when using continue");
        }

        if (CheckMatch(match, version, continueToken, initialEvents) is { } refusal)
        {
            return refusal;
        }

        return new ListOptions
        {
            LabelSelector = query["labelSelector"].ToString(),
            FieldSelector = query["fieldSelector"].ToString(),
            Freshness = FreshnessOf(version, match),
            WatchFrom = version is 0 ? null : version,
            Limit = (int)Math.Min(limit ?? 0, int.MaxValue),
            Continue = continueToken,
            IsWatch = IsWatchAsked(request),
            Bookmarks = Flag(query["allowWatchBookmarks"]),
            SendInitialEvents = initialEvents,
            Timeout = timeout is > 0 ? UserSeconds.AtMost(timeout.Value, LongestWatch) : null,
        };
    }

    public static bool IsWatchAsked(HttpRequest request) => Flag(request.Query["watch"]);

    // A watch that silently ignores sendInitialEvents hangs its client, so its rules are kept (KEP-3157).
    private static ApiStatus? CheckMatch(string match, long? version, string continueToken, bool initialEvents) => match switch
    {
        "" when initialEvents => ApiStatus.InvalidOption("resourceVersionMatch", "must be NotOlderThan with sendInitialEvents"),
        "" or "NotOlderThan" when initialEvents => null,
        "" => null,
        "Exact" or "NotOlderThan" when continueToken.Length > 0 =>
            ApiStatus.InvalidOption("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"),
        "Exact" or "NotOlderThan" when version is null =>
            ApiStatus.InvalidOption("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        "Exact" when version == 0 =>
            ApiStatus.InvalidOption("resourceVersionMatch", "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""),
        "Exact" or "NotOlderThan" => null,
        _ => ApiStatus.InvalidOption("resourceVersionMatch", $"Unsupported value: \"{match}\": supported values: \"Exact\", \"NotOlderThan\""),
    };

    private static Freshness FreshnessOf(long? version, string match) => version switch
    {
        null => new Freshness.Newest(),
        0 => new Freshness.AtHand(),
        { } exact when match == "Exact" => new Freshness.Exactly(exact),
        { } least => new Freshness.NotOlderThan(least),
    };

    private static bool Flag(string? text) => text is "true" or "1" or "True";

    private static bool TryNumber(string? text, out long? number)
    {
        number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        return number is not null || string.IsNullOrEmpty(text);
    }
}
