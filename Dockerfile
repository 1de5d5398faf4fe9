# Node strips the types by itself, so nothing is compiled here: the stages only keep apart what runs and what does not.
# Read by BuildKit and by the classic builder.
FROM node:24.16.0-trixie-slim AS node
WORKDIR /srv/bailiwick

# embedded-postgres finds its binaries among the optional packages; with a database of its own the image needs none.
FROM node AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# The sample application knows nothing of the server: of the whole lock file it gets openid-client and what that needs.
FROM node AS sample-app-dependencies
COPY package.json package-lock.json .npmrc ./
RUN node -e "const p = require('./package.json'); \
      p.dependencies = { 'openid-client': p.devDependencies['openid-client'] }; \
      delete p.devDependencies; \
      fs.writeFileSync('package.json', JSON.stringify(p))" \
 && npm install --ignore-scripts --no-audit

# A clone made under umask 077 must still be readable by the user of the image.
FROM node AS sources
COPY package.json ./
COPY src src
COPY config config
COPY scripts scripts
RUN chmod -R u=rwX,go=rX .

FROM node AS sample-app
ENV NODE_ENV=production
COPY --from=sample-app-dependencies /srv/bailiwick/node_modules node_modules
COPY --from=sources /srv/bailiwick/package.json package.json
COPY --from=sources /srv/bailiwick/scripts/sample-app scripts/sample-app
COPY --from=sources /srv/bailiwick/scripts/compose/check-health.ts scripts/compose/check-health.ts
USER 1000:1000
EXPOSE 8402
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "scripts/compose/check-health.ts", "http://localhost:8402/"]
CMD ["node", "scripts/sample-app/main.ts"]

FROM node AS server
ENV NODE_ENV=production
COPY --from=dependencies /srv/bailiwick/node_modules node_modules
COPY --from=sources /srv/bailiwick/package.json package.json
COPY --from=sources /srv/bailiwick/config config
COPY --from=sources /srv/bailiwick/scripts/compose/check-health.ts scripts/compose/check-health.ts
COPY --from=sources /srv/bailiwick/src src
USER 1000:1000
EXPOSE 8400 8401
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "scripts/compose/check-health.ts", "http://localhost:8400/healthz", "http://localhost:8401/healthz"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve"]
