import { defineConfig } from "vite";

export default defineConfig({
  // Vite's default is `localhost`, which is another host than the 127.0.0.1 of the servers: cookies
  // are of a host.
  server: { host: "127.0.0.1", port: 4000, strictPort: true },
  preview: { host: "127.0.0.1", port: 4000, strictPort: true },
  build: { emptyOutDir: true },
});
