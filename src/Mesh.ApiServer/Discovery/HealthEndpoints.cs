using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Mesh.ApiServer.Discovery;

/// <summary>
/// <c>/livez</c>, <c>/readyz</c> and <c>/healthz</c>, with each check by itself below them, as Kubernetes answers them
/// (apiserver pkg/server/healthz): <c>?verbose</c> tells every check, <c>?exclude=</c> leaves one out. No token is asked for.
/// </summary>
internal sealed class HealthEndpoints(IOptions<ApiOptions> options)
{
    private const string Ping = "ping";
    private const string Silo = "silo";

    // Alive is who answers; ready is who can also do what is asked.
    public static IReadOnlyDictionary<string, string[]> Checks { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["livez"] = [Ping],
        ["readyz"] = [Ping, Silo],
        ["healthz"] = [Ping],
    };

    public static IEnumerable<string> Paths =>
        Checks.SelectMany(endpoint => endpoint.Value.Select(check => $"/{endpoint.Key}/{check}").Prepend($"/{endpoint.Key}")).Order(StringComparer.Ordinal);

    public static bool IsHealth(PathString path) => Checks.Keys.Any(name => path.StartsWithSegments($"/{name}", StringComparison.Ordinal));

    public IResult Answer(HttpContext context, string endpoint)
    {
        var excluded = context.Request.Query["exclude"].Select(name => name ?? "").Where(name => name.Length > 0).ToHashSet(StringComparer.Ordinal);
        var told = new StringBuilder();
        var problem = "";
        foreach (var check in Checks[endpoint])
        {
            var why = excluded.Remove(check) ? "" : Problem(check);
            told.Append(CultureInfo.InvariantCulture, $"{Line(check, why)}\n");
            problem = problem.Length == 0 ? why ?? "" : problem;
        }

        if (excluded.Count > 0)
        {
            var names = string.Join(",", excluded.Order(StringComparer.Ordinal).Select(name => $"\"{name}\""));
            told.Append(CultureInfo.InvariantCulture, $"warn: some health checks cannot be excluded: no matches for {names}\n");
        }

        if (problem.Length > 0)
        {
            told.Append(CultureInfo.InvariantCulture, $"{endpoint} check failed\n");
            return Results.Text(IsVerbose(context) ? told.ToString() : $"not ready: {problem}", statusCode: StatusCodes.Status503ServiceUnavailable);
        }

        told.Append(CultureInfo.InvariantCulture, $"{endpoint} check passed\n");
        return Results.Text(IsVerbose(context) ? told.ToString() : "ok");
    }

    public IResult AnswerOne(string endpoint, string check) => !Checks[endpoint].Contains(check)
        ? Results.Text("404 page not found\n", statusCode: StatusCodes.Status404NotFound)
        : Problem(check) is { } why
            ? Results.Text($"not ready: {why}", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ok");

    // Kubernetes takes the mere word; "false" is the one way to write it and not mean it.
    private static bool IsVerbose(HttpContext context) =>
        context.Request.Query.TryGetValue("verbose", out var value) && value.ToString() is not ("false" or "0");

    private static string Line(string check, string? why) => why switch
    {
        null => $"[+]{check} ok",
        "" => $"[+]{check} excluded: ok",
        _ => $"[-]{check} failed: {why}",
    };

    private string? Problem(string check) => check == Silo ? options.Value.WhyNotReady() : null;
}
