using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>An answer of the API, read whole.</summary>
public sealed record Answer(int Code, JsonNode? Body, IReadOnlyList<string> Warnings, HttpContentHeaders ContentHeaders)
{
    public string Reason => Body?["reason"]?.GetValue<string>() ?? "";

    public string Message => Body?["message"]?.GetValue<string>() ?? "";

    /// <summary>Reason and field of each cause.</summary>
    public IReadOnlyList<string> Causes =>
    [
        .. (Body?["details"]?["causes"] as JsonArray ?? []).Select(cause => $"{cause!["reason"]} {cause["field"]}"),
    ];
}

internal static class Asking
{
    public static async Task<Answer> SendAsync(
        this HttpClient http, string method, string path, string? body = null, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToList() : [];
        var isJson = response.Content.Headers.ContentType?.MediaType == "application/json";
        return new Answer((int)response.StatusCode, isJson ? JsonNode.Parse(text) : text, warnings, response.Content.Headers);
    }

    /// <summary>A namespace of the test's own.</summary>
    public static async Task<string> NewNamespaceAsync(this HttpClient http)
    {
        var answer = await http.SendAsync("POST", "/api/v1/namespaces", """{"metadata":{"generateName":"test-"}}""");
        Assert.Equal(201, answer.Code);
        return answer.Body!["metadata"]!["name"]!.GetValue<string>();
    }
}
