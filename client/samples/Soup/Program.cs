using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Client;

// A small web application that joins Mesh by its SDK: GET / counts bowls of soup, and says who served them; GET /menu asks
// another Service for its answer, by its name.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Logging.AddFilter("System.Net.Http", LogLevel.Warning);
builder.AddMesh();
builder.AddMeshTelemetry();
builder.Services.AddMeshHttpDefaults();
builder.Services.AddHttpClient("menu", client => client.BaseAddress = new Uri(builder.Configuration["MENU_URL"] ?? "http://my-api-service"));
var quiet = new JsonSerializerOptions(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

var app = builder.Build();
app.MapMeshHealth();
var bowls = 0;
app.Map("/{**path}", (HttpContext request, IMeshRegistration mesh) => AnswerAsync(request, mesh, menu: null));
app.MapGet("/menu", async (HttpContext request, IMeshRegistration mesh, IHttpClientFactory clients) =>
{
    try
    {
        await AnswerAsync(request, mesh, await clients.CreateClient("menu").GetFromJsonAsync<JsonElement>("/soups", request.RequestAborted));
    }
    catch (HttpRequestException failed)
    {
        request.Response.StatusCode = StatusCodes.Status502BadGateway;
        await request.Response.WriteAsync(failed.Message + "\n");
    }
});
await app.RunAsync();

async Task AnswerAsync(HttpContext request, IMeshRegistration mesh, JsonElement? menu)
{
    using var answer = JsonContent.Create(new
    {
        pod = mesh.Identity?.Name,
        pid = Environment.ProcessId,
        bowls = Interlocked.Increment(ref bowls),
        path = request.Request.Path.Value,
        host = request.Request.Host.Value,
        traceparent = request.Request.Headers.TraceParent.FirstOrDefault(),
        menu,
    }, options: quiet);
    // Whole, so that whoever is killed has answered or has not; and with a newline, as a terminal shows it.
    var body = Encoding.UTF8.GetBytes(await answer.ReadAsStringAsync() + "\n");
    (request.Response.ContentType, request.Response.ContentLength) = ("application/json", body.Length);
    await request.Response.Body.WriteAsync(body);
}
