using System.Text.Json.Serialization;
using Mesh.Client;

// A small web application that joins Mesh by its SDK: GET / counts bowls of soup, and says who served them.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.AddMesh();
builder.AddMeshTelemetry();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull);

var app = builder.Build();
app.MapMeshHealth();
var bowls = 0;
app.Map("/{**path}", async (HttpContext request, IMeshRegistration mesh) =>
{
    await request.Response.WriteAsJsonAsync(new
    {
        pod = mesh.Identity?.Name,
        pid = Environment.ProcessId,
        bowls = Interlocked.Increment(ref bowls),
        path = request.Request.Path.Value,
        host = request.Request.Host.Value,
        traceparent = request.Request.Headers.TraceParent.FirstOrDefault(),
    });
    await request.Response.WriteAsync("\n"); // a terminal shows it
});
await app.RunAsync();
