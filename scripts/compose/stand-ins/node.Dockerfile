# Stands in for the official Node image: Debian, the npm package of the same Node, npm, the user `node`.
FROM bailiwick-stand-in:debian
COPY root /
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
CMD ["node"]
